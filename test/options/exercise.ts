// What the exercises of options share.
import { getsockopt, type optionTable } from 'posix-sockets';

/**
 * Has an option do what it is for, and asserts that the kernel did it. It fails if the kernel is not told of the option
 * (one that can be set) or not asked for it (one that can be read); option-table.test.ts holds it to that.
 */
export type Exercise = () => unknown;

export type Exercises = { [Name in keyof typeof optionTable]?: Exercise };

/** The very bytes that the kernel writes for an int, where zeros are the right answer and no answer is a wrong one. */
export function bytesOf(fd: number, level: number, name: number): number[] {
  const room = new Uint8Array(8).fill(255);
  return [...room.subarray(0, getsockopt(fd, level, name, room))];
}
