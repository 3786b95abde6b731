// Exercise 8: receive without waiting, and tell "not yet" from the end of the stream.
// 练习 8：不等待地接收，并区分“还没有”和“流已结束”。
import { AF_UNIX, close, MSG_DONTWAIT, recv, SOCK_STREAM, send, socketpair } from 'posix-sockets';
import { check, hint } from 'posix-sockets/practice';

const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
const bytes = Buffer.alloc(100);

/** 'not yet', 'end', or the text that came. */
function look() {
  hint(
    `recv(other, bytes, MSG_DONTWAIT) (${MSG_DONTWAIT}) throws an error whose code is EAGAIN when nothing is there, and answers 0 at the end.`,
    `recv(other, bytes, MSG_DONTWAIT)（${MSG_DONTWAIT}）在没有数据时抛出 code 为 EAGAIN 的错误，在结尾时返回 0。`,
  );
  const length = recv(other, bytes, MSG_DONTWAIT); // HERE
  return bytes.toString('utf8', 0, length);
}

check(look() === 'not yet', 'Nothing yet.', '还没有。');
send(one, Buffer.from('news'));
check(look() === 'news', 'Now there is.', '现在有了。');
close(one);
check(look() === 'end', 'And the end is something else.', '结尾是另一回事。');
close(other);
