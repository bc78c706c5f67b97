import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/load-config.ts';
import { chooseStorage } from '../config/storage-choice.ts';
import type { StorageChoice } from '../config/storage-choice.ts';
import { PipelineError } from '../errors.ts';

/** Stores that a name stands for. */
export interface Profile {
  readonly name: string;
  readonly home: string;
  readonly storage: StorageChoice;
}

/**
 * `embedded`: local files and SQLite of this home. `configured`: what the environment chooses now.
 * Otherwise the path of a JSON file with settings, as `settings.json`, and perhaps a
 * `QUOTIDIEN_HOME` of its own. Throws `CONFIG_INVALID`.
 */
export function readProfile(
  name: string,
  config: Pick<Config, 'home' | 'env' | 'storage'>,
  cwd: string,
): Profile {
  if (name === 'configured') return { name, home: config.home, storage: config.storage };
  if (name === 'embedded') return { name, home: config.home, storage: chooseStorage({}).storage };
  const file = path.resolve(cwd, name);
  const settings = readSettings(name, file);
  const { storage, problems } = chooseStorage(settings);
  if (problems.length > 0)
    throw new PipelineError('CONFIG_INVALID', `${file}:\n- ${problems.join('\n- ')}`);
  const home = settings['QUOTIDIEN_HOME'];
  return {
    name,
    home: home === undefined ? config.home : path.resolve(path.dirname(file), home),
    storage,
  };
}

function readSettings(name: string, file: string): Record<string, string> {
  try {
    const parsed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, String(value)]));
  } catch (error) {
    const message = `the profile ${name} is neither "embedded" nor "configured" nor a JSON file of settings`;
    throw new PipelineError('CONFIG_INVALID', `${message}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
