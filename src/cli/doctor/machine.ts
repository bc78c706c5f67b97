import { constants } from 'node:fs';
import { access, readFile, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../config/load-config.ts';
import { HOST_SETTING, SETTINGS, hostVariable } from '../../config/settings.ts';
import { publisherHosts } from '../../workers/configured-datasets.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import { formatBytes } from '../shared/measures.ts';
import { whyFailed } from './finding.ts';
import type { Finding } from './finding.ts';

/** Node, folders, disk and settings of this machine. */

const OLDEST_NODE = [20, 19] as const;

const DISK_WARN_BYTES = 5_000_000_000;
const DISK_FAIL_BYTES = 500_000_000;

/** `version` as `process.versions.node` has it; minor releases count. */
export function examineNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const fits = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  const common = { area: 'machine', subject: 'Node.js', detail: version } as const;
  return fits
    ? { ...common, status: 'ok' }
    : { ...common, status: 'fail', next: `Install Node.js ${OLDEST_NODE.join('.')} or newer.` };
}

/** The folder of everything that is kept here, and the space below it. */
export async function examineHome(home: string): Promise<Finding[]> {
  const existing = await nearestFolder(home);
  const isThere = existing === home;
  const writable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  const detail = isThere ? home : `${home} (made with the first run)`;
  const folder: Finding = writable
    ? { area: 'machine', subject: 'home', status: 'ok', detail }
    : {
        area: 'machine',
        subject: 'home',
        status: 'fail',
        detail: `${existing} cannot be written`,
        next: 'Correct its permission, or name another folder by --home or QUOTIDIEN_HOME.',
      };
  return [folder, await examineDisk(existing)];
}

async function nearestFolder(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  const above = path.dirname(folder);
  return found !== undefined || above === folder ? folder : nearestFolder(above);
}

async function examineDisk(folder: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return diskFinding(bavail * bsize);
  } catch (error) {
    const next = `Look at the file system of ${folder}.`;
    return {
      area: 'machine',
      subject: 'disk',
      status: 'warn',
      detail: `space is not known: ${whyFailed(error)}`,
      next,
    };
  }
}

/**
 * Backfills need gigabytes for raw files; the document store breaks off its writes on a full disk.
 */
export function diskFinding(freeBytes: number): Finding {
  const common = {
    area: 'machine',
    subject: 'disk',
    detail: `${formatBytes(freeBytes)} free`,
  } as const;
  if (freeBytes >= DISK_WARN_BYTES) return { ...common, status: 'ok' };
  const next = `Free some space, or move the home folder: below ${formatBytes(DISK_FAIL_BYTES)} runs are likely to fail.`;
  return { ...common, status: freeBytes < DISK_FAIL_BYTES ? 'fail' : 'warn', next };
}

/** Which settings are set and where, never their values: they may be secrets. */
export async function examineSettings(
  { env, home }: Config,
  datasets: Readonly<Record<string, Dataset>>,
): Promise<Finding[]> {
  const hosts = publisherHosts(datasets);
  const perHost = hosts.flatMap((host) =>
    (Object.keys(HOST_SETTING) as (keyof typeof HOST_SETTING)[]).map((name) =>
      hostVariable(host, name),
    ),
  );
  const ours = new Set([...Object.keys(SETTINGS.shape), ...perHost, 'QUOTIDIEN_HOME']);
  const names = Object.keys(env)
    .filter((name) => env[name] !== undefined && (ours.has(name) || name.startsWith('TEMPORAL_')))
    .sort();
  const file = path.join(home, 'settings.json');
  const fromFile = await readNames(file);
  const findings = names.map((name): Finding => ({
    area: 'settings',
    subject: name,
    status: 'ok',
    // The environment wins over the file: only an equal value can have come from it.
    detail: fromFile.get(name) === env[name] ? `set in ${file}` : 'set in the environment',
  }));
  if (findings.length > 0) return findings;
  return [
    {
      area: 'settings',
      subject: 'all',
      status: 'ok',
      detail: `defaults; nothing is set in the environment or ${file}`,
    },
  ];
}

async function readNames(file: string): Promise<Map<string, string>> {
  try {
    const parsed = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    return new Map(Object.entries(parsed).map(([name, value]) => [name, String(value)]));
  } catch {
    // Whether the file is readable was settled when the configuration was loaded: here it is not
    // there.
    return new Map();
  }
}
