/** What a command talks to, and the mistakes of those who call it. */

/** Where a command's text goes, and where its relative paths begin. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** The working directory. */
  readonly folder: string;
}

/** The command line is not one that the command understands: exit code 2. */
export class UsageError extends Error {}

/** A place in a text, shown below it. */
export const pointAt = (text: string, at: number): string => `  ${text}\n  ${" ".repeat(at)}^`;
