// The types of calls and pushes follow from the methods: checked by the compiler, as all tests are before they run.
import { expectTypeOf, test } from 'vitest';
import type { Context } from '../examples/teleport/handling.js';
import { type Call, type Methods, type Push, takes } from '../examples/teleport/methods.js';
import { Peer } from '../examples/teleport/peer.js';
import type { Reply, Session } from '../examples/teleport/session.js';

// Written once as types, for both sides.
interface Sums {
  readonly calls: {
    readonly '/add': Call<number[], number>;
    readonly '/later': Call<string, Date, Screen>;
    readonly '/time': Call<void, number>;
  };
  readonly pushes: { readonly '/note': Push<{ text: string }> };
}
interface Screen {
  readonly pushes: { readonly '/show': Push<string> };
}

// Nothing here runs: the functions below only have to compile, or not.
const never = (_: unknown) => {};

test('a peer made to a contract has to keep it', () => {
  never(
    () =>
      new Peer<Sums['calls'], Sums['pushes']>({
        calls: {
          '/add': (numbers, context) => {
            expectTypeOf(numbers).toEqualTypeOf<number[]>();
            expectTypeOf(context).toEqualTypeOf<Context>();
            return numbers.length;
          },
          '/later': async (text, { session }) => {
            expectTypeOf(text).toEqualTypeOf<string>();
            expectTypeOf(session).toEqualTypeOf<Session<Screen>>();
            await session.push('/show', text);
            // @ts-expect-error The other side shows text.
            await session.push('/show', 5);
            // @ts-expect-error The other side cannot be called.
            await session.call('/show', text);
            return new Date();
          },
          '/time': () => Date.now(),
        },
        pushes: { '/note': ({ text }) => text.length },
      }),
  );
  never(() => {
    // @ts-expect-error A method is missing.
    new Peer<Sums['calls'], Sums['pushes']>({ calls: { '/add': () => 1 } });
    // @ts-expect-error The result is of the wrong type.
    new Peer<Pick<Sums['calls'], '/add'>>({ calls: { '/add': () => 'text' } });
    // @ts-expect-error The body is of the wrong type.
    new Peer<Pick<Sums['calls'], '/add'>>({ calls: { '/add': (text: string) => text.length } });
  });
});

test('a session dialled to a contract takes its bodies and gives its results', () => {
  never(async (peer: Peer) => {
    const session = await peer.dial<Sums>('/path');
    expectTypeOf(session.call('/add', [1])).toEqualTypeOf<Promise<number>>();
    expectTypeOf(session.call('/later', 'text', { timeout: 5 })).toEqualTypeOf<Promise<Date>>();
    expectTypeOf(session.call('/time')).toEqualTypeOf<Promise<number>>();
    expectTypeOf(session.callForReply('/add', [1])).toEqualTypeOf<Promise<Reply<number>>>();
    expectTypeOf(session.push('/note', { text: '' })).toEqualTypeOf<Promise<void>>();
    // @ts-expect-error It adds numbers.
    session.call('/add', ['1']);
    // @ts-expect-error It needs a body.
    session.call('/add');
    // @ts-expect-error There is no such method.
    session.call('/subtract', [1]);
    // @ts-expect-error It is to be called, not pushed to.
    session.push('/add', [1]);
    // @ts-expect-error The note has no text.
    session.push('/note', {});
    // @ts-expect-error There is no such option.
    session.call('/add', [1], { timeuot: 5 });
  });
});

test('without a contract, the types are those of the handlers that a peer is given', () => {
  never(async (client: Peer) => {
    const server = new Peer({
      calls: {
        '/length': (text: string) => text.length,
        '/both': async (pair: [number, string], context) => {
          expectTypeOf(context).toEqualTypeOf<Context>();
          return { pair };
        },
        '/checked': takes(
          (body): body is boolean => typeof body === 'boolean',
          (body) => !body,
        ),
      },
      pushes: { '/tell': (text: string) => text },
    });
    const session = await client.dial<typeof server>('/path');
    expectTypeOf(session.call('/length', 'text')).toEqualTypeOf<Promise<number>>();
    expectTypeOf(session.call('/both', [1, 'a'])).toEqualTypeOf<Promise<{ pair: [number, string] }>>();
    expectTypeOf(session.call('/checked', true)).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(session.push('/tell', 'text')).toEqualTypeOf<Promise<void>>();
    // @ts-expect-error It takes text.
    session.call('/length', 5);
    // @ts-expect-error It is a pair.
    session.call('/both', [1]);
    // @ts-expect-error Nothing is called so.
    session.push('/length', 'text');
  });
});

test('a peer that knows who it talks to has sessions of that type', () => {
  never(() => {
    const server = new Peer<Sums['calls'], Sums['pushes'], Screen>({
      calls: {
        '/add': (numbers) => numbers.length,
        '/later': () => new Date(),
        '/time': () => 0,
      },
      pushes: {
        '/note': ({ text }) => {
          for (const session of server.sessions) session.push('/show', text);
        },
      },
      onSession: (session) => expectTypeOf(session).toEqualTypeOf<Session<Screen>>(),
    });
    expectTypeOf(server.sessions).toEqualTypeOf<ReadonlySet<Session<Screen>>>();
  });
});

test('of a peer that nothing is known of, anything can be asked, and the answer is unknown', () => {
  never(async (peer: Peer) => {
    const session = await peer.dial('/path');
    expectTypeOf(session).toEqualTypeOf<Session<Methods>>();
    expectTypeOf(session.call('/any', { thing: 1 })).toEqualTypeOf<Promise<unknown>>();
    expectTypeOf(session.push('/any')).toEqualTypeOf<Promise<void>>();
  });
});
