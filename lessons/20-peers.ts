// A tool built on sockets: how a framework for calls and pushes is made of the calls of the other lessons.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SHUT_WR, SOCK_SEQPACKET, Socket } from 'posix-sockets';
import { GrowingBytes, ShiftingBytes } from '../examples/teleport/bytes.js';
import { plain } from '../examples/teleport/codecs.js';
import { CALL, type Frame, frameLength, PUSH, readPayload, writeFrame } from '../examples/teleport/frame.js';
import { Peer } from '../examples/teleport/peer.js';
import { code, type Status, success } from '../examples/teleport/status.js';
import { lesson } from './frame/lesson.js';

/** A PUSH of a text, as bytes. */
function frame(sequence: number, body: string): Buffer {
  const out = new GrowingBytes(64);
  writeFrame(out, { filters: '', sequence, type: PUSH, method: '/note', status: success, meta: '', codec: 's', body });
  return Buffer.from(out.bytes);
}

/** The frames that are whole in what came, which are taken out of it. */
function takeFrames(inbox: ShiftingBytes): Frame[] {
  const frames: Frame[] = [];
  for (;;) {
    const length = frameLength(inbox.buffer, inbox.start, inbox.end, 1 << 20);
    if (length === 0 || length > inbox.end - inbox.start) return frames;
    frames.push(readPayload(inbox.buffer, inbox.start + 5, inbox.start + length, ''));
    inbox.start += length;
  }
}

/** How many calls were made on the socket with this descriptor. */
const callsOn = (fd: number) => Socket.list().find((open) => open.fd === fd)?.calls ?? 0;

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (status: Status) => status,
  );

export default lesson({
  number: 20,
  rows: [20],
  title: { en: 'Peers that call each other', zh: '互相调用的对等端' },
  async teach({ part, say, print, show, check }) {
    part('Frames on a stream of bytes', '字节流上的帧');
    say(
      'A stream keeps no bounds between messages (in lesson 9 two became one). So each message is a frame that begins ' +
        'with its own length. Three frames leave in two pieces that end where no frame does:',
      '流不保留消息之间的边界（第 9 课里两条变成了一条）。因此每条消息都是一个帧，以自身的长度开头。三个帧分两段发出，分段处都不是帧的结尾：',
    );
    const [near, far] = Socket.pair();
    const bytes = Buffer.concat([frame(1, 'one'), frame(2, 'two'), frame(3, 'three')]);
    const inbox = new ShiftingBytes(1024);
    const whole: number[] = [];
    const bodies: string[] = [];
    await show(async () => {
      for (const piece of [bytes.subarray(0, 50), bytes.subarray(50)]) {
        await near.sendAll(piece);
        inbox.end += await far.recv(inbox.room(512));
        const frames = takeFrames(inbox);
        whole.push(frames.length);
        bodies.push(...frames.map(({ body }) => String(body)));
      }
    });
    check(
      bodies.join() === 'one,two,three',
      `In the first piece ${whole[0]} frame was whole, the second brought the other ${whole[1]}: what is not whole yet is kept.`,
      `第一段里有 ${whole[0]} 个完整的帧，第二段带来其余 ${whole[1]} 个：还不完整的先留着。`,
    );
    near.shutdown(SHUT_WR);
    for (const end of [near, far]) end.close();

    part('One reader, and replies in any order', '一个读取者，回复可以乱序');
    say(
      'If every caller read the socket for its own reply, each would take bytes of another. So one reader takes all frames ' +
        'in, and gives each reply to the call with its sequence number. The later call is answered first here:',
      '如果每个调用者都自己从套接字读回复，就会互相拿走对方的字节。因此由一个读取者接收所有帧，再按序号把回复交给对应的调用。这里后发出的调用先得到回答：',
    );
    let answerSlow: (text: string) => void = () => {};
    const told: number[] = [];
    const server = new Peer({
      calls: {
        '/slow': () =>
          new Promise<string>((resolve) => {
            answerSlow = resolve;
          }),
        '/fast': () => 'fast',
      },
      pushes: { '/count': (n: number) => void told.push(n) },
    });
    const [one, other] = Socket.pair();
    const fd = other.fd;
    server.adopt(one);
    const client = new Peer();
    const session = client.adopt<typeof server>(other);
    const order: string[] = [];
    const slow = session.call('/slow').then((text) => order.push(text));
    await session.call('/fast').then((text) => order.push(text));
    answerSlow('slow');
    await slow;
    check(
      order.join() === 'fast,slow',
      'Two calls were under way on one connection, and neither waited for the other.',
      '一条连接上同时进行着两个调用，谁也没有等谁。',
    );

    part('Many small frames, few large writes', '许多小帧，少数几次大的写入');
    say(
      'A system call costs nearly the same for one small frame as for a hundred. What is sent in one turn of the program is gathered, ' +
        'and leaves together:',
      '一次系统调用，发一个帧和发一百个帧的代价几乎一样。程序在一轮中要发送的先收集起来，然后一起发出：',
    );
    const before = callsOn(fd);
    await show(async () => {
      for (let n = 1; n <= 100; n++) session.push('/count', n);
      await session.call('/fast');
    });
    const made = callsOn(fd) - before;
    check(
      told.length === 100 && told.every((n, i) => n === i + 1) && made < 10,
      `A hundred pushes and a call with its reply, in order: ${made} system calls on this end's socket.`,
      `一百次推送加一次带回复的调用，顺序不变：本端套接字上只有 ${made} 次系统调用。`,
    );
    await client.close();
    await server.close();

    part('Backpressure', '背压');
    say(
      'Whoever does not read fills first the buffers of the kernel, then send says EAGAIN (lesson 12), and what waits ' +
        'grows in our own memory. A bound on it makes the difference between a slow peer and a program that dies:',
      '不读的一方先填满内核的缓冲区，然后 send 返回 EAGAIN（第 12 课），等待发送的数据就堆在我们自己的内存里。给它设一个上限，才不至于因为一个慢的对等端而拖垮整个程序：',
    );
    const [writer, silent] = Socket.pair();
    const patience = 300;
    const peer = new Peer({ limit: 1 << 20, patience });
    const stalled = peer.adopt(writer);
    let refused: Status | undefined;
    let pushed = 0;
    while (refused === undefined && pushed < 1000) {
      stalled.push('/note', 'x'.repeat(65_536), { codec: plain }).catch((status) => {
        refused = status;
      });
      pushed++;
      await new Promise(setImmediate);
    }
    check(
      refused?.code === code.writeFailed,
      `After ${pushed} pushes of 64 KiB the next is refused with status ${code.writeFailed}: ${refused?.cause}.`,
      `推送了 ${pushed} 次 64 KiB 之后，下一次被拒绝，状态 ${code.writeFailed}。`,
    );
    const ended = await stalled.closed;
    check(
      ended.code === code.writeFailed,
      `And as the peer takes nothing for ${patience} ms, its session ends.`,
      `对等端 ${patience} 毫秒内什么也没取走，它的会话就结束了。`,
    );
    silent.close();

    part('Is anybody there?', '还有人吗？');
    say(
      'A connection whose peer is gone without a word looks like one where nobody has anything to say. So each side ' +
        'promises to be heard every so often, and who hears nothing for twice that long hangs up. Half a frame, and then nothing, is cut the same way:',
      '对方不辞而别的连接，看上去就和双方都无话可说的连接一样。因此每一方都承诺每隔一段时间发出声音，两倍的时间都没有听到就挂断。发了半个帧就没了下文的，也同样处理：',
    );
    const [listening, halting] = Socket.pair();
    const half = new Peer({ patience }).adopt(listening);
    const [hearing, quiet] = Socket.pair();
    const alone = new Peer({ heartbeat: 1 }).adopt(hearing);
    await halting.sendAll(frame(1, 'never finished').subarray(0, 20));
    const halted = await half.closed;
    check(
      halted.code === code.badMessage,
      `${halted.code} ${halted.message}: ${halted.cause}.`,
      `${halted.code}：帧的其余部分没有在 ${patience} 毫秒内到来。`,
    );
    const unheard = await alone.closed;
    check(
      unheard.code === code.closed,
      `${unheard.code} ${unheard.message}: ${unheard.cause}.`,
      `${unheard.code}：2 秒内什么也没有听到。`,
    );
    for (const end of [halting, quiet]) end.close();

    part('A chat of three peers', '三个对等端的聊天');
    say(
      'A hub listens on an abstract Unix socket that keeps the bounds of packets. Three peers dial it; what one says, the hub pushes to all:',
      '一个中心在保留报文边界的抽象 Unix 套接字上监听。三个对等端与它连接；一个人说的话，中心推送给所有人：',
    );
    const type = SOCK_SEQPACKET;
    const where = `@posix-sockets-lesson-20-${process.pid}`;
    const members = new Set<string>();
    const hub = new Peer({
      calls: {
        '/join': (name: string) => {
          members.add(name);
          return [...members];
        },
      },
      pushes: {
        '/say': ({ name, text }: { name: string; text: string }) => {
          for (const listener of hub.sessions) listener.push('/heard', `${name}: ${text}`);
        },
      },
    });
    await hub.listen(where, { type });
    const heard = new Map<string, string[]>();
    const chat = await Promise.all(
      ['Ada', 'Bo', 'Cy'].map(async (name) => {
        const lines: string[] = [];
        heard.set(name, lines);
        const me = new Peer({ pushes: { '/heard': (line: string) => void lines.push(line) } });
        const talk = await me.dial<typeof hub>(where, { type });
        await talk.call('/join', name);
        return { name, me, talk };
      }),
    );
    const said = ['Is anybody there?', 'Two of us.', 'Three.'];
    for (const [i, { name, talk }] of chat.entries()) {
      await talk.push('/say', { name, text: said[i] as string });
      // The answer to a call comes after what was pushed before it.
      await Promise.all(chat.map((each) => each.talk.call('/join', each.name)));
    }
    for (const line of heard.get('Ada') ?? []) print(`    ${line}`);
    check(
      [...heard.values()].every(
        (lines) => lines.join('|') === chat.map(({ name }, i) => `${name}: ${said[i]}`).join('|'),
      ),
      'All three heard the same, in the same order, themselves included.',
      '三方听到的内容相同、顺序相同，包括自己说的。',
    );
    const [ada] = chat;
    await Promise.all(chat.map(({ me }) => me.close()));
    await hub.close();
    const gone = await failure(ada?.talk.call('/join', 'Ada') ?? Promise.resolve());
    check(
      gone?.code === code.closed && hub.sessions.size === 0,
      `Everybody hung up in order: what was under way was finished, and a call now is refused with ${gone?.code}.`,
      `大家依次挂断：进行中的都已完成，此时再调用会被拒绝，状态 ${gone?.code}。`,
    );
    const files = relative('.', fileURLToPath(new URL('../examples/teleport', import.meta.url)));
    say(
      `The peers of this lesson are in ${files}; type ${CALL} on their wire is a call. node ${files}/server.js 9000 starts one ` +
        'to try.',
      `本课的对等端在 ${files}；在它们的线上协议里，类型 ${CALL} 就是调用。node ${files}/server.js 9000 可启动一个来试。`,
    );
  },
  verdict: {
    right: {
      en: 'RPC, push and peer-to-peer messages on one long connection take nothing but sockets.',
      zh: '在一条长连接上做 RPC、推送和点对点消息，只需要套接字。',
    },
    folklore: {
      en: 'Server and client are roles while connecting only: after that, both ends of a connection are alike.',
      zh: '“服务器”和“客户端”只是建立连接时的角色：之后，连接的两端是一样的。',
    },
    changed: {
      en: 'The tool has been renamed: teleport is eRPC now.',
      zh: '这个工具改名了：teleport 现在叫 eRPC。',
    },
  },
});
