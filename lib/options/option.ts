import { constants } from '../native.js';
import { optionDocs } from '../option-docs.js';
import { type Content, contentOf, type Holding, type In, type Out } from '../structs/content.js';

/** What the kernel lets a program do with an option: getsockopt only, setsockopt only, or both. */
export type Access = 'read' | 'write' | 'both';

/** A socket option. */
export interface Option<O = unknown, I = never, A extends Access = Access> {
  /** Its name in C. */
  readonly name: string;
  /** The level it belongs to: SOL_SOCKET, IPPROTO_TCP, ... Options for multicast exist for IPv4 and for IPv6. */
  readonly levels: readonly number[];
  /** Its number, `optname`. */
  readonly number: number;
  readonly access: A;
  /** What it holds. */
  readonly content: Content<O, I>;
  /** What it is, in a line. */
  readonly doc: string;
}

interface Row<H extends Holding, A extends Access> {
  readonly holding: H;
  readonly access: A;
}

/** A row for an option that can only be read. */
export const readable = <H extends Holding>(holding: H): Row<H, 'read'> => ({ holding, access: 'read' });
/** A row for an option that can only be set. */
export const writable = <H extends Holding>(holding: H): Row<H, 'write'> => ({ holding, access: 'write' });
/** A row for an option that can be read and set. */
export const both = <H extends Holding>(holding: H): Row<H, 'both'> => ({ holding, access: 'both' });

type Table<Rows> = {
  readonly [Name in keyof Rows]: Rows[Name] extends Row<infer H, infer A> ? Option<Out<H>, In<H>, A> : never;
};

/** The options of one level, from a row for each. */
export function optionsOf<Rows extends Record<string, Row<Holding, Access>>>(
  levels: number | readonly number[],
  rows: Rows,
): Table<Rows> {
  const entries = Object.entries(rows).map(([name, { holding, access }]) => [
    name,
    {
      name,
      levels: typeof levels === 'number' ? [levels] : levels,
      number: constants[name],
      access,
      content: contentOf(holding),
      doc: optionDocs[name],
    },
  ]);
  return Object.fromEntries(entries);
}
