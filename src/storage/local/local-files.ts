import path from 'node:path';
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { open, readFile, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { measuring } from '@quotidien/machine/file-hash';
import { PipelineError } from '../../errors.ts';
import type { ByteRange } from '../shared/byte-range.ts';
import { clipRange } from '../shared/byte-range.ts';
import { createDurableFolders } from './durable-folders.ts';
import type { DurableFolders } from './durable-folders.ts';
import { errnoOf, fileError, isErrno } from '../shared/file-errors.ts';
import { walkKeys } from './folder-walk.ts';
import { hashInKey } from '../shared/content-key.ts';
import { bodyChunks } from '../shared/object-body.ts';
import { STAGING_PART, checkObjectKey, checkObjectPrefix } from '../shared/object-key.ts';
import type {
  ArtefactRef,
  ContentName,
  DeleteOptions,
  ObjectBody,
  ObjectHead,
  ObjectLook,
  ObjectStore,
  OpenOptions,
  PutFence,
  PutOptions,
} from '../../ports/objects.ts';
import { LARGEST_PACKED_BYTES, createPackedFiles, isPackable } from './packed-files.ts';
import type { PackedBody, PackedFiles, PlainBytes } from './packed-files.ts';
import { createPlainCopies } from './plain-copies.ts';
import type { PlainCopies } from './plain-copies.ts';
import { checkFence, fencedOff, removeOlderStaged, stagedName } from './put-fence.ts';
import { READ_AT_ONCE_BYTES, readAndClose, readExactly, readSmallFile } from './read-file.ts';
import {
  RESTING_ENDING,
  mayRest,
  rest,
  restingBeside,
  restingBytes,
  restingBytesAndClose,
  restingIn,
} from './resting-files.ts';
import { giveName, removeStaged, sameFile, stageBody, sweepStagedFiles } from './staged-files.ts';
import type { StagedFile } from './staged-files.ts';
import { createVerifiedFiles } from './verified-files.ts';
import type { MeasuredFile } from './verified-files.ts';
import type { Look } from './local-look.ts';
import { lookInto, beginningOf, etagOf, isAbsent, ifPresent, ifThere } from './local-look.ts';

/** Tries to put a file into a folder that others remove meanwhile because it became empty. */
const MAX_FOLDER_TRIES = 10;

/** Files whose size and time `list` asks for in one turn of the process. */
const STATS_AT_ONCE = 64;

/**
 * Objects as files: the key is the path below `root`. What has a name is a plain file, so that
 * people can read what is published with any tool, or gzip where it rests (`resting-files.ts`);
 * texts that lie under their hash are packed (`packed-files.ts`), those of earlier versions are
 * plain.
 *
 * 1. A put is staged in `<root>/.incoming`, fsynced, then given its name by `link` (create-only) or
 *    `rename` (replace), both atomic among all processes; then the folder is fsynced. So a name is
 *    there with all its bytes or not at all, also after a power loss.
 * 2. What a crashed writer staged is never visible; the first put of a store removes what is older
 *    than a day.
 * 3. Bytes are only handed out by path after their hash was found right.
 * 4. A fenced put that stood still is refused: whoever has written a newer version has removed what
 *    it had staged.
 *
 * The whole of `root` must be one file system with hard links. Nothing but this store writes below
 * `root`.
 */
export function createLocalObjectStore({
  root,
  packs = isPackable,
}: LocalObjectOptions): ObjectStore {
  return new LocalObjectStore(path.resolve(root), packs);
}

/** Objects are files below `root`, named as their keys. */
export interface LocalObjectOptions {
  readonly root: string;
  /**
   * Whether the object of a key may be packed; unless given, texts that lie under their hash are.
   */
  readonly packs?: (key: string) => boolean;
}

class LocalObjectStore implements ObjectStore {
  readonly kind = 'local-files';
  readonly #root: string;
  readonly #incoming: string;
  readonly #folders: DurableFolders;
  readonly #packs: (key: string) => boolean;
  readonly #packed: PackedFiles;
  readonly #copies: PlainCopies;
  readonly #verified = createVerifiedFiles(async (file, handle, bytes) => {
    if (file.endsWith(RESTING_ENDING) && restingIn(file) !== undefined)
      return restingBytes(handle, file);
    const text = await this.#textIn(this.#keyOf(file), handle, bytes);
    return text === undefined ? undefined : bodyChunks(text);
  });
  #swept: Promise<void> | undefined;

  constructor(root: string, packs: (key: string) => boolean) {
    this.#root = root;
    this.#packs = packs;
    this.#incoming = path.join(root, STAGING_PART);
    this.#folders = createDurableFolders(root);
    this.#packed = createPackedFiles(root);
    this.#copies = createPlainCopies(this.#incoming);
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<ArtefactRef> {
    checkObjectKey(key);
    await this.#openIncoming();
    const place = this.#placeFor(key, options);
    // The folder is made durable while the bytes are on their way to the disk.
    const folder = this.#folders.ensure(path.dirname(place.file));
    folder.catch(() => undefined);
    const packed: PackedBody = this.#packs(key) ? await this.#packed.pack(key, body) : { body };
    const resting = place.rests ? rest(packed.body) : undefined;
    const staged = await this.#stage(resting?.body ?? packed.body, stagedName(key, options.fence));
    try {
      await this.#passFence(key, options.fence);
      await this.#publish(key, staged, options, { file: place.file, ready: folder });
      if (place.other !== undefined) await ifPresent(unlink(place.other), 'remove', place.other);
    } catch (error) {
      await removeStaged(staged.path);
      throw error;
    }
    const plain = packed.plain ?? resting?.plain();
    const { sha256, bytes } = plain ?? staged;
    this.#remember(place.file, { sha256, bytes, isPacked: plain !== undefined });
    return { key, sha256, bytes, mediaType: options.mediaType };
  }

  async get(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    checkObjectKey(key);
    clipRange(range, 0);
    const { file, rests } = this.#fileOf(key);
    if (rests === undefined && !this.#packs(key)) {
      const small = ifThere(() => ({ bytes: readSmallFile(file) }), 'read', file);
      if (small === undefined) return undefined;
      const { start, end } = clipRange(range, small.bytes?.byteLength ?? 0);
      if (small.bytes !== undefined) return bodyChunks(small.bytes.subarray(start, end));
    }
    const handle = await ifPresent(open(file, 'r'), 'read', file);
    if (handle === undefined) return undefined;
    let streaming = false;
    try {
      if (rests !== undefined) {
        const { start, end } = range === undefined ? {} : clipRange(range, rests.bytes);
        streaming = true;
        return restingBytesAndClose(handle, file, start, end);
      }
      const found = await handle.stat();
      if (!found.isFile()) return undefined;
      const text = await this.#textIn(key, handle, found.size);
      const { start, end } = clipRange(range, text?.byteLength ?? found.size);
      if (text !== undefined) return bodyChunks(text.subarray(start, end));
      streaming = end - start > READ_AT_ONCE_BYTES;
      if (streaming) return readAndClose(handle, file, start, end);
      return bodyChunks(await readExactly(handle, file, start, end));
    } catch (error) {
      throw fileError(error, 'read', file);
    } finally {
      if (!streaming) await handle.close();
    }
  }

  // oxlint-disable-next-line typescript/require-await -- async makes its errors rejected promises
  async head(key: string): Promise<ObjectHead | undefined> {
    checkObjectKey(key);
    return this.#headOf(key);
  }

  async *list(prefix: string): AsyncIterable<ObjectHead> {
    checkObjectPrefix(prefix);
    for await (const keys of walkKeys(this.#root, prefix, {
      batch: STATS_AT_ONCE,
      nameOf: plainName,
    })) {
      for (const key of keys) {
        const head = this.#headOf(key);
        if (head !== undefined) yield head;
      }
      // A folder may have a hundred thousand files: timers and sockets of this process have their
      // turn.
      await setImmediate();
    }
  }

  async delete(key: string, { fence }: DeleteOptions = {}): Promise<void> {
    checkObjectKey(key);
    if (fence !== undefined) await this.#openIncoming();
    await this.#passFence(key, fence);
    const file = this.#pathOf(key);
    const sha256 = hashInKey(key);
    const copy = sha256 === undefined ? undefined : this.#copies.find({ sha256, bytes: 0 });
    if (copy !== undefined) await unlink(copy).catch(() => undefined);
    const resting = sha256 === undefined ? restingOf(file) : undefined;
    if (resting !== undefined) await ifPresent(unlink(resting), 'delete', resting);
    try {
      await unlink(file);
    } catch (error) {
      if (resting !== undefined && errnoOf(error) === 'ENOENT') return this.#leave(file);
      // EISDIR (Linux) and EPERM (macOS) say that it is a folder, which is no object.
      const isFolder = errnoOf(error) === 'EPERM' && (await this.#isFolder(file));
      if (isFolder || isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return;
      throw fileError(error, 'delete', file);
    }
    await this.#leave(file);
  }

  async inspect(ref: ContentName): Promise<ObjectLook> {
    checkObjectKey(ref.key);
    const { file } = this.#fileOf(ref.key);
    const found = await ifPresent(this.#verified.measure(file), 'read', file);
    if (found === undefined) return { state: 'missing' };
    return {
      state: found.bytes === ref.bytes && found.sha256 === ref.sha256 ? 'intact' : 'damaged',
    };
  }

  async openLocal(ref: ContentName, options: OpenOptions = {}): Promise<string | undefined> {
    checkObjectKey(ref.key);
    const { file, rests } = this.#fileOf(ref.key);
    const found = await ifPresent(this.#verified.measure(file, options), 'read', file);
    if (found === undefined) return undefined;
    if (found.bytes !== ref.bytes || found.sha256 !== ref.sha256)
      throw otherBytes(file, ref, found);
    if (!found.isPacked) return file;
    return rests === undefined
      ? this.#openCopy(file, ref, options.until)
      : this.#openResting(file, ref, options.until);
  }

  #pathOf(key: string): string {
    return path.join(this.#root, key);
  }

  /** Where the object of a key lies, and what rests there. */
  #fileOf(key: string): { readonly file: string; readonly rests?: PlainBytes | undefined } {
    const file = this.#pathOf(key);
    const resting = hashInKey(key) === undefined ? restingBeside(file) : undefined;
    return resting === undefined ? { file } : { file: resting, rests: restingIn(resting) };
  }

  /** Where a put places it, and the file of the other form, which goes. */
  #placeFor(key: string, { mode, rests }: PutOptions): Place {
    const file = this.#pathOf(key);
    if (rests === true && mode === 'replace' && mayRest(file))
      return { file: file + RESTING_ENDING, rests: true, other: file };
    const other = hashInKey(key) === undefined ? restingOf(file) : undefined;
    if (other !== undefined && mode === 'create') throw alreadyThere(key, this.#root);
    return { file, rests: false, other };
  }

  /** Removes the folders that became empty. */
  async #leave(file: string): Promise<void> {
    const kept = await this.#folders.prune(path.dirname(file));
    await ifPresent(this.#folders.sync(kept), 'write', kept);
  }

  #keyOf(file: string): string {
    return path.relative(this.#root, file);
  }

  #headOf(key: string): ObjectHead | undefined {
    const { file, rests } = this.#fileOf(key);
    const { found, text } = this.#look(key, file) ?? {};
    if (found?.isFile() !== true) return undefined;
    return { key, bytes: rests?.bytes ?? text ?? Number(found.size), etag: etagOf(found) };
  }

  /**
   * By calls that return from the page cache: the way to another thread and back takes ten times as
   * long.
   */
  #look(key: string, file: string): Look | undefined {
    return ifThere(
      () => (this.#packs(key) ? lookInto(file) : { found: statSync(file, { bigint: true }) }),
      'read',
      file,
    );
  }

  /** The text that is packed in an open file. */
  async #textIn(key: string, handle: FileHandle, bytes: number): Promise<Buffer | undefined> {
    if (bytes > LARGEST_PACKED_BYTES || !this.#packs(key) || beginningOf(handle.fd) === undefined)
      return undefined;
    return this.#packed.unpack(key, await readExactly(handle, this.#pathOf(key), 0, bytes));
  }

  /** A plain copy of a packed file that was found right. */
  async #openCopy(
    file: string,
    ref: ContentName,
    until: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const known = this.#copies.find(ref, until);
    if (known !== undefined) return known;
    await this.#openIncoming();
    const small = ifThere(() => ({ bytes: readSmallFile(file) }), 'read', file);
    const stored = small?.bytes ?? (await ifPresent(readFile(file), 'read', file));
    if (stored === undefined) return undefined;
    const text = this.#packed.unpack(ref.key, stored) ?? stored;
    const found = {
      sha256: createHash('sha256').update(text).digest('hex'),
      bytes: text.byteLength,
    };
    if (found.sha256 !== ref.sha256) throw otherBytes(file, ref, found);
    // Somebody else may have made it meanwhile.
    return this.#copies.find(ref, until) ?? this.#copies.add(ref, path.extname(file), text, until);
  }

  /** A plain copy of what was found right in a resting file. */
  async #openResting(
    file: string,
    ref: ContentName,
    until: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const known = this.#copies.find(ref, until);
    if (known !== undefined) return known;
    await this.#openIncoming();
    const handle = await ifPresent(open(file, 'r'), 'read', file);
    if (handle === undefined) return undefined;
    const bytes = checked(restingBytesAndClose(handle, file), file, ref);
    return this.#copies.addFrom(ref, path.extname(ref.key), bytes, until);
  }

  async #isFolder(file: string): Promise<boolean> {
    const found = await stat(file).catch(() => undefined);
    return found?.isDirectory() === true;
  }

  /**
   * Makes the staging folder; the first time in this store it also removes what crashed writers
   * left there.
   */
  async #openIncoming(): Promise<void> {
    try {
      await this.#folders.ensure(this.#incoming);
      this.#swept ??= sweepStagedFiles(this.#incoming);
      await this.#swept;
    } catch (error) {
      this.#swept = undefined;
      throw fileError(error, 'write to', this.#root);
    }
  }

  async #passFence(key: string, fence: PutFence | undefined): Promise<void> {
    await checkFence(key, fence);
    if (fence !== undefined) await removeOlderStaged(this.#incoming, key, fence);
  }

  async #stage(body: ObjectBody, name: string): Promise<StagedFile> {
    try {
      return await stageBody(this.#incoming, body, name);
    } catch (error) {
      // Somebody removed the store's folders; the caller's next try makes them again.
      if (error instanceof PipelineError && error.context['errno'] === 'ENOENT')
        this.#folders.forget(this.#incoming);
      throw error;
    }
  }

  /**
   * Gives the staged file its name, durably. The folder may be pruned by a `delete` in between:
   * then it is made again.
   */
  async #publish(
    key: string,
    staged: StagedFile,
    { mode, fence }: PutOptions,
    { file, ready }: { readonly file: string; readonly ready: Promise<void> },
  ): Promise<void> {
    const folder = path.dirname(file);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await (attempt === 1 ? ready : this.#folders.ensure(folder));
        giveName(staged.path, file, mode);
        await ifPresent(this.#folders.sync(folder), 'write', folder);
        return;
      } catch (error) {
        if (errnoOf(error) === 'EEXIST' && (await sameFile(staged.path, file))) return;
        this.#folders.forget(folder);
        if (fence !== undefined && !existsSync(staged.path)) throw fencedOff(key, fence);
        if (errnoOf(error) === 'ENOENT' && attempt < MAX_FOLDER_TRIES) continue;
        throw await this.#publishError(error, key, file);
      }
    }
  }

  /** The hash that a put proved; a file that is gone again has none. */
  #remember(file: string, measured: MeasuredFile): void {
    try {
      this.#verified.trust(file, measured);
    } catch (error) {
      if (!isAbsent(error)) throw fileError(error, 'read', file);
    }
  }

  async #publishError(error: unknown, key: string, file: string): Promise<PipelineError> {
    const errno = errnoOf(error);
    if (errno === 'ENOTDIR') {
      return new PipelineError(
        'INPUT_INVALID',
        `the object key ${key} lies below another object of ${this.#root}`,
      );
    }
    const taken = errno === 'EEXIST' || errno === 'EISDIR' || errno === 'ENOTEMPTY';
    if (!taken) return fileError(error, 'write', file);
    if (await this.#isFolder(file)) {
      return new PipelineError(
        'INPUT_INVALID',
        `the object key ${key} is the folder of other objects of ${this.#root}`,
      );
    }
    return alreadyThere(key, this.#root);
  }
}

interface Place {
  readonly file: string;
  readonly rests: boolean;
  readonly other?: string | undefined;
}

/** The resting file of a plain file's name, whether it counts or not. */
function restingOf(file: string): string | undefined {
  const resting = file + RESTING_ENDING;
  return restingIn(resting) === undefined ? undefined : resting;
}

/** The name that a file has in keys. */
function plainName(folder: string, name: string): string {
  const rests = name.endsWith(RESTING_ENDING) && restingIn(path.join(folder, name)) !== undefined;
  return rests ? name.slice(0, -RESTING_ENDING.length) : name;
}

function alreadyThere(key: string, root: string): PipelineError {
  return new PipelineError('STORE_CONFLICT', `the object ${key} exists already in ${root}`, {
    context: { key },
  });
}

function otherBytes(file: string, ref: ContentName, found: PlainBytes): PipelineError {
  return new PipelineError(
    'STORE_CORRUPT',
    `${file} has ${found.bytes} bytes with sha256 ${found.sha256} instead of ${ref.bytes} bytes with ${ref.sha256}: ` +
      'keep the file aside, check the disk, then re-run the day to rebuild it',
    { context: { key: ref.key, path: file } },
  );
}

/** The same bytes, unless they are others by now: then the reader gets the error at their end. */
async function* checked(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  ref: ContentName,
): AsyncGenerator<Uint8Array> {
  const passing = measuring(chunks);
  yield* passing.chunks;
  const found = passing.measured();
  if (found.sha256 !== ref.sha256) throw otherBytes(file, ref, found);
}
