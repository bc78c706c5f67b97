import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The one message of a child process, once that has ended; throws where it ended without one. */
export async function answerOf<T>(child: ChildProcess, what: string): Promise<T> {
  const answers: T[] = [];
  child.on('message', (message) => answers.push(message as T));
  const [code] = (await once(child, 'exit')) as [number | null];
  const [answer] = answers;
  if (answer === undefined)
    throw new Error(`${what} ended with ${code ?? 'a signal'} and no answer`);
  return answer;
}
