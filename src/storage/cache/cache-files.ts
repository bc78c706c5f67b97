import { createHash, randomUUID } from 'node:crypto';
import {
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { endingOf } from '../shared/object-key.ts';
import { hashInKey } from '../shared/content-key.ts';
import { errnoOf, fileError } from '../shared/file-errors.ts';
import { ownerMark } from '../local/file-owner.ts';
import { MARK_ENDING, createHeldFiles, isMark } from '../local/held-files.ts';
import { withHostLock } from '../local/host-lock.ts';
import type { ObjectBody } from '../../ports/objects.ts';
import { removeStaged, stageBody, sweepStagedFiles } from '../local/staged-files.ts';
import type { StagedFile } from '../local/staged-files.ts';
import { createVerifiedFiles } from '../local/verified-files.ts';

/**
 * Eviction goes on until the cache has this part of its size: so it is not done at every insertion.
 */
const FILL_AFTER_EVICTION = 0.9;

/**
 * A process looks at the whole folder again once it added this part of the size: others add as
 * well, without telling.
 */
const LOOK_AFTER_PART = 0.05;

/**
 * The use of a file is noted at most this often: one system call for each of many reads would cost
 * more than it tells.
 */
const NOTE_USE_AFTER_MS = 10_000;

const MAX_REMEMBERED = 50_000;

/** What the cache knows of a key: which bytes it had, and at which etag when one was compared. */
export interface Binding {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly etag: string | null;
}

/** Changes of the counters, as they happen. */
export interface CacheCounts {
  evictions: number;
  evictedBytes: number;
  /** Files whose bytes were not those of their name. */
  corrupt: number;
}

/**
 * The folder of a cache: bytes by their hash, and what each key was last seen to be. Any number of
 * processes of a host share it.
 *
 * 1. A file appears whole, by one rename, and is hashed again whenever it changed since; one with
 *    other bytes is removed.
 * 2. Any file may be removed at any time, by a person, and by eviction unless it is held. A reader
 *    that has opened it reads on.
 * 3. When all processes together hold more than `maxBytes`, the least recently used go. With n
 *    processes it may pass the size by n twentieths for a moment, by the last file, and by the
 *    files that are held.
 */
export interface CacheFiles {
  bindingOf(key: string): Promise<Binding | undefined>;
  bind(binding: Binding): Promise<void>;
  unbind(key: string): Promise<void>;
  /** Removes the bytes of a content, whoever uses them. */
  discard(content: Pick<Binding, 'sha256' | 'key'>): Promise<void>;
  /** The path of the bytes when they are here and right; notes their use. */
  find(content: Pick<Binding, 'sha256' | 'bytes' | 'key'>): Promise<string | undefined>;
  /**
   * The bytes stay in their place until the signal is aborted, from now on or from when they come.
   */
  hold(content: Pick<Binding, 'sha256' | 'key'>, until: AbortSignal): Promise<void>;
  /** Opens a path that `find` gave; undefined when it was evicted since. */
  open(path: string): Promise<FileHandle | undefined>;
  stage(body: ObjectBody): Promise<StagedFile>;
  /** Gives the staged bytes their place, then makes room. Returns their path. */
  keep(key: string, staged: StagedFile): Promise<string>;
  drop(staged: StagedFile): Promise<void>;
  /** One process at a time for each key. */
  alone<T>(key: string, work: () => Promise<T>): Promise<T>;
}

interface Content {
  readonly path: string;
  readonly bytes: number;
  readonly usedAtMs: number;
  /** Paths of the marks beside it, and of the bindings that they name. */
  readonly marks: readonly string[];
  readonly bindings: readonly string[];
}

/** `counts` is added to in place; several processes may share the folder. */
export function createCacheFiles(
  folder: string,
  maxBytes: number,
  counts: CacheCounts,
): CacheFiles {
  return new CacheFolder(path.resolve(folder), maxBytes, counts);
}

class CacheFolder implements CacheFiles {
  readonly #root: string;
  readonly #maxBytes: number;
  readonly #counts: CacheCounts;
  readonly #verified = createVerifiedFiles();
  readonly #held = createHeldFiles();
  readonly #notedUses = new Map<string, number>();
  /** Of keys that name their hash, which are never bound to anything else. */
  readonly #immutable = new Map<string, Binding>();
  #swept: Promise<void> | undefined;
  /** What was added here since the folder was last looked at; at first, everything may be there. */
  #addedBytes = Number.POSITIVE_INFINITY;
  #evicting: Promise<void> | undefined;

  constructor(root: string, maxBytes: number, counts: CacheCounts) {
    this.#root = root;
    this.#maxBytes = maxBytes;
    this.#counts = counts;
  }

  async bindingOf(key: string): Promise<Binding | undefined> {
    const known = this.#immutable.get(key);
    if (known !== undefined) return known;
    try {
      const binding = JSON.parse(await readFile(this.#bindingPath(key), 'utf8')) as Binding;
      if (binding.key !== key) return undefined;
      this.#remember(binding);
      return binding;
    } catch (error) {
      // One that a power loss cut short is as good as none.
      if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw fileError(error, 'read the cache', this.#root);
    }
  }

  async bind(binding: Binding): Promise<void> {
    const file = this.#bindingPath(binding.key);
    await this.#writing(async () => {
      const staged = path.join(this.#root, 'incoming', randomUUID());
      await writeFile(staged, JSON.stringify(binding));
      await mkdir(path.dirname(file), { recursive: true });
      await rename(staged, file);
      // So that the eviction of the content finds the keys that would be left without.
      await writeFile(
        `${this.#contentPath(binding)}${KEY_MARK}${hashOf(binding.key)}${MARK_ENDING}`,
        '',
      );
      this.#remember(binding);
    });
  }

  async unbind(key: string): Promise<void> {
    this.#immutable.delete(key);
    await this.#remove(this.#bindingPath(key));
  }

  async discard(content: Pick<Binding, 'sha256' | 'key'>): Promise<void> {
    const file = this.#contentPath(content);
    const name = path.basename(file);
    const beside = (await namesIn(path.dirname(file))).filter(
      (one) => one.startsWith(name) && isMark(one),
    );
    const bindings = beside.flatMap((one) => this.#bindingOfMark(one));
    const marks = beside.map((one) => path.join(path.dirname(file), one));
    for (const one of [...bindings, ...marks, file]) await this.#remove(one);
  }

  async find(content: Pick<Binding, 'sha256' | 'bytes' | 'key'>): Promise<string | undefined> {
    const file = this.#contentPath(content);
    try {
      const found = await this.#verified.measure(file);
      if (found?.sha256 === content.sha256 && found.bytes === content.bytes) {
        await this.#noteUse(file);
        return file;
      }
      this.#counts.corrupt += 1;
      await this.#remove(file);
      return undefined;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw fileError(error, 'read the cache', file);
    }
  }

  async hold(content: Pick<Binding, 'sha256' | 'key'>, until: AbortSignal): Promise<void> {
    const file = this.#contentPath(content);
    await this.#writing(async () => {
      await mkdir(path.dirname(file), { recursive: true });
      this.#held.hold(file, until);
    });
  }

  async open(file: string): Promise<FileHandle | undefined> {
    try {
      return await open(file, 'r');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw fileError(error, 'read the cache', file);
    }
  }

  stage(body: ObjectBody): Promise<StagedFile> {
    return this.#writing(() => stageBody(path.join(this.#root, 'incoming'), body));
  }

  async keep(key: string, staged: StagedFile): Promise<string> {
    const file = this.#contentPath({ key, sha256: staged.sha256 });
    await this.#writing(async () => {
      await mkdir(path.dirname(file), { recursive: true });
      await rename(staged.path, file);
      this.#verified.trust(file, { sha256: staged.sha256, bytes: staged.bytes, isPacked: false });
    });
    // Its own time says when it was kept.
    this.#notedUses.set(file, Date.now());
    this.#addedBytes += staged.bytes;
    if (this.#addedBytes > this.#maxBytes * LOOK_AFTER_PART) await this.#makeRoom(file);
    return file;
  }

  drop(staged: StagedFile): Promise<void> {
    return removeStaged(staged.path);
  }

  async alone<T>(key: string, work: () => Promise<T>): Promise<T> {
    await this.#open();
    return withHostLock(path.join(this.#root, 'locks', hashOf(key)), work);
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      await this.#open();
      return await work();
    } catch (error) {
      throw fileError(error, 'write to the cache', this.#root);
    }
  }

  /**
   * Makes the folders that are written to first, each time: a person may have emptied the cache.
   */
  async #open(): Promise<void> {
    try {
      for (const name of ['incoming', 'locks'])
        await mkdir(path.join(this.#root, name), { recursive: true });
      this.#swept ??= sweepStagedFiles(path.join(this.#root, 'incoming'));
      await this.#swept;
    } catch (error) {
      this.#swept = undefined;
      throw fileError(error, 'write to the cache', this.#root);
    }
  }

  /** On a file beside it: a new time of its own would have the file hashed again. */
  async #noteUse(file: string): Promise<void> {
    const now = Date.now();
    if (now - (this.#notedUses.get(file) ?? 0) < NOTE_USE_AFTER_MS) return;
    if (this.#notedUses.size >= MAX_REMEMBERED) this.#notedUses.clear();
    this.#notedUses.set(file, now);
    const used = usePath(file);
    await utimes(used, now / 1_000, now / 1_000).catch(() =>
      writeFile(used, '').catch(() => undefined),
    );
  }

  #remember(binding: Binding): void {
    if (hashInKey(binding.key) !== binding.sha256) return;
    if (this.#immutable.size >= MAX_REMEMBERED) this.#immutable.clear();
    this.#immutable.set(binding.key, binding);
  }

  /** One look at a time; those who come meanwhile share it. */
  async #makeRoom(justKept: string): Promise<void> {
    this.#evicting ??= this.#evict(justKept).finally(() => (this.#evicting = undefined));
    await this.#evicting;
  }

  async #evict(justKept: string): Promise<void> {
    this.#addedBytes = 0;
    const files = await this.#contents();
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    if (bytes <= this.#maxBytes) return;
    files.sort((a, b) => a.usedAtMs - b.usedAtMs);
    for (const file of files) {
      if (bytes <= this.#maxBytes * FILL_AFTER_EVICTION) return;
      if (file.path === justKept || !(await this.#takeAway(file))) continue;
      bytes -= file.bytes;
      this.#counts.evictions += 1;
      this.#counts.evictedBytes += file.bytes;
    }
  }

  /**
   * False when somebody uses the file, also one who began after it was looked at: whoever does has
   * set a mark before.
   */
  async #takeAway({ path: file, bindings, marks }: Content): Promise<boolean> {
    if (this.#held.isHeld(file)) return false;
    const aside = path.join(this.#root, 'incoming', `${ownerMark()}${randomUUID()}`);
    try {
      await rename(file, aside);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return true;
      throw fileError(error, 'remove from the cache', file);
    }
    if (this.#held.isHeld(file)) {
      await rename(aside, file);
      return false;
    }
    for (const one of [...bindings, ...marks, aside]) await this.#remove(one);
    return true;
  }

  async #contents(): Promise<Content[]> {
    const root = path.join(this.#root, 'content');
    const contents: Content[] = [];
    for (const folder of await namesIn(root)) {
      const names = await namesIn(path.join(root, folder));
      for (const name of names.filter((one) => !isMark(one))) {
        const file = path.join(root, folder, name);
        const marks = names.filter((one) => one.startsWith(name) && isMark(one));
        const [found, used] = await Promise.all(
          [file, usePath(file)].map((one) => stat(one).catch(() => undefined)),
        );
        if (found === undefined) continue;
        contents.push({
          path: file,
          bytes: found.size,
          usedAtMs: Math.max(found.mtimeMs, used?.mtimeMs ?? 0),
          marks: marks.map((one) => path.join(root, folder, one)),
          bindings: marks.flatMap((one) => this.#bindingOfMark(one)),
        });
      }
    }
    return contents;
  }

  #bindingOfMark(mark: string): string[] {
    const at = mark.lastIndexOf(KEY_MARK);
    if (at === -1) return [];
    return [this.#hashedBindingPath(mark.slice(at + KEY_MARK.length, -MARK_ENDING.length))];
  }

  async #remove(file: string): Promise<void> {
    try {
      await unlink(file);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw fileError(error, 'remove from the cache', file);
    }
  }

  #contentPath({ key, sha256 }: Pick<Binding, 'key' | 'sha256'>): string {
    // Some readers go by the ending of a name.
    const ending = endingOf(key);
    return path.join(this.#root, 'content', sha256.slice(0, 2), sha256 + ending);
  }

  #bindingPath(key: string): string {
    return this.#hashedBindingPath(hashOf(key));
  }

  #hashedBindingPath(name: string): string {
    return path.join(this.#root, 'keys', name.slice(0, 2), `${name}.json`);
  }
}

/**
 * Files beside a content say when it was last used, which keys are bound to it, and who uses it.
 */
const KEY_MARK = '.key-';

/** None where the folder vanished. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileError(error, 'read the cache', folder);
  }
}

function usePath(file: string): string {
  return `${file}.used${MARK_ENDING}`;
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
