// Non-blocking and synchronous: to do other things, and to ask again and again.
import {
  AF_UNIX,
  close,
  EAGAIN,
  F_GETFL,
  F_SETFL,
  fcntl,
  O_NONBLOCK,
  raw,
  SOCK_STREAM,
  socketpair,
} from 'posix-sockets';
import { lesson } from './frame/lesson.js';
import { cpuTime, ended, sender } from './frame/thread.js';
import { pause } from './frame/until.js';

interface Asked {
  asked: number;
  cpu: number;
}

/** Asks until something is there, which is not before so many questions; rests between them if told to. */
async function ask(least: number, rest: number): Promise<Asked> {
  const delay = 200;
  const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
  fcntl(other, F_SETFL, fcntl(other, F_GETFL) | O_NONBLOCK);
  const peer = await sender(one, 'ready', delay);
  const [start, cpu] = [performance.now(), cpuTime()];
  const bytes = Buffer.alloc(16);
  let asked = 1;
  // Bounded, should the peer never send.
  while (raw.recv(other, bytes, 0) === -EAGAIN && performance.now() - start < 30_000) {
    if (++asked > least) peer.allow();
    if (rest > 0) pause(rest);
  }
  const result = { asked, cpu: cpuTime() - cpu };
  await ended(peer.worker);
  close(one);
  close(other);
  return result;
}

export default lesson({
  number: 15,
  rows: [15],
  title: { en: 'Is it ready? Is it ready?', zh: '好了吗？好了吗？' },
  async teach({ part, say, show, check }) {
    part('A socket that does not block', '非阻塞套接字');
    const [one, other] = socketpair(AF_UNIX, SOCK_STREAM);
    const answer = show(() => {
      fcntl(other, F_SETFL, fcntl(other, F_GETFL) | O_NONBLOCK);
      return raw.recv(other, Buffer.alloc(16), 0);
    });
    check(
      answer === -EAGAIN,
      'With O_NONBLOCK, recv does not wait: EAGAIN means "not yet, ask again".',
      '有了 O_NONBLOCK，recv 不再等待：EAGAIN 的意思是“还没有，再问一次”。',
    );
    close(one);
    close(other);

    part('Asking without a rest', '不停地问');
    say(
      'The peer sends after 200 ms. Until then we ask, as fast as we can.',
      '对方在 200 毫秒后发送。在此之前，我们尽可能快地反复询问。',
    );
    const restless = await ask(1000, 0);
    check(
      restless.asked > 1000,
      `Asked ${restless.asked} times, for one answer, and burnt ${restless.cpu.toFixed(0)} ms of a processor.`,
      `问了 ${restless.asked} 次，只为一个回答，白白烧掉 ${restless.cpu.toFixed(0)} 毫秒 CPU 时间。`,
    );

    part('Asking now and then', '偶尔问一下');
    const patient = await ask(1, 20);
    check(
      patient.asked < restless.asked / 5,
      `With a rest of 20 ms between: asked ${patient.asked} times, ${patient.cpu.toFixed(1)} ms of a processor, and the news ` +
        'may come 20 ms late.',
      `每次间隔 20 毫秒：问了 ${patient.asked} 次，用了 ${patient.cpu.toFixed(1)} 毫秒 CPU 时间，但消息可能晚到 20 毫秒。`,
    );
    say(
      'So one pays with the processor or with delay. What is missing is somebody who brings the news.',
      '要么费 CPU，要么有延迟。缺的是一个送消息的人。',
    );
  },
  verdict: {
    right: {
      en: 'Non-blocking and synchronous: one does other things meanwhile, and asks again and again.',
      zh: '非阻塞同步：其间可以做别的事，并一次次地询问。',
    },
    folklore: {
      en: 'O_NONBLOCK alone makes nothing faster. It only lets a call say "not yet" instead of waiting.',
      zh: '单靠 O_NONBLOCK 什么也不会变快。它只是让调用说一声“还没有”，而不是等待。',
    },
  },
});
