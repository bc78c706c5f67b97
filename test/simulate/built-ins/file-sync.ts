/** Stands in for `src/storage/local/file-sync.ts`: the disk of a seed does not outlive it. */
export function syncFile(): Promise<void> {
  return Promise.resolve();
}
