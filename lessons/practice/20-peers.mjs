// Exercise 20: take whole frames out of a stream of bytes.
// 练习 20：从字节流中取出完整的帧。
import { AF_UNIX, close, recv, SOCK_STREAM, send, socketpair } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

// A frame is its own length, four bytes and those included, and then a text.
// 一个帧由自身长度（四个字节，包括这四个字节）和随后的文本组成。
const frame = (text) => {
  const bytes = Buffer.from(`....${text}`);
  bytes.writeUInt32BE(bytes.length);
  return bytes;
};
const stream = Buffer.concat(['one', 'two', 'three'].map(frame));
const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);

let inbox = Buffer.alloc(0);
const texts = [];
hint(
  'Is the length there, inbox.readUInt32BE(), and as many bytes? Then take the text out, cut inbox, and look again. Otherwise wait for more.',
  '长度到了吗（inbox.readUInt32BE()）？字节够了吗？够了就取出文本，截短 inbox，再看一次；不够就等更多字节。',
);
function takeFrames() {
  // HERE
}

for (const piece of [stream.subarray(0, 9), stream.subarray(9, 12), stream.subarray(12)]) {
  send(one, piece);
  const room = Buffer.alloc(64);
  inbox = Buffer.concat([inbox, room.subarray(0, recv(other, room))]);
  takeFrames();
}
check(texts[0] === 'one', 'The first frame was taken out.', '取出了第一个帧。');
check(texts.join() === 'one,two,three', 'All three were, wherever the pieces ended.', '三个都取出了，无论分段在哪里。');
check(inbox.length === 0, 'Nothing is left over.', '没有剩余。');
for (const fd of [one, other]) close(fd);
