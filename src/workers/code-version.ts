import { createRequire } from 'node:module';

interface PackageJson {
  readonly version: string;
}

/** The version in `package.json`; kept in every ledger entry and manifest. */
export const CODE_VERSION: string = (
  createRequire(import.meta.url)('../../package.json') as PackageJson
).version;
