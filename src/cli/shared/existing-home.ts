import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../config/load-config.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { PipelineError } from '../../errors.ts';

/**
 * Refuses a home that somebody named and that is not there, for commands that only look: a mistyped
 * one would seem to be empty. `INPUT_INVALID`
 */
export function checkHomeExists({ home, homeIsNamed }: Pick<Config, 'home' | 'homeIsNamed'>): void {
  if (!homeIsNamed || existsSync(home)) return;
  const folder = path.dirname(home);
  const beside = existsSync(folder) ? readdirSync(folder) : [];
  const nearest = nearestName(path.basename(home), beside);
  const hint = nearest === undefined ? '' : `; the nearest is ${path.join(folder, nearest)}`;
  throw new PipelineError('INPUT_INVALID', `there is no folder ${home}${hint}`);
}
