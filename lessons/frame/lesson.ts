// What a lesson is made of.
import type { Teacher } from './teacher.js';

/** The languages in which a lesson speaks. */
export type Language = 'en' | 'zh';

/** The same sentence in each language. */
export type Text = Readonly<Record<Language, string>>;

/** What a lesson concludes about what the study notes say. */
export interface Verdict {
  /** What they had right. */
  readonly right: Text;
  /** What is folklore, where something is. */
  readonly folklore?: Text;
  /** What changed since, where something did. */
  readonly changed?: Text;
}

export interface Lesson {
  /** Its place in the reading order. */
  readonly number: number;
  readonly title: Text;
  /** Which statements of the notes it shows true or corrects. */
  readonly rows: readonly number[];
  /** Makes the calls, tells what they did, and checks what it tells. */
  teach(teacher: Teacher): void | Promise<void>;
  readonly verdict: Verdict;
  /** Whether it draws a picture: see `Teacher.picture`. */
  readonly drawsPicture?: true;
}

/** Declares a lesson. */
export function lesson(lesson: Lesson): Lesson {
  return lesson;
}
