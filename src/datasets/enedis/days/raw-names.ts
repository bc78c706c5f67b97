import { isCivilDate } from '../../kit/index.ts';
import type { RawNames } from '../../kit/index.ts';
import { parseDeliveredName } from '../decode/archive-name.ts';
import { LINES_PART } from '../lines/part.ts';

/**
 * The names under which files are kept: archives as
 * `raw/enedis/<flux>/dt=YYYY-MM-DD/<archive>.zip.sealed`, by the Paris day of the archive's
 * timestamp, invoice lines as `raw/enedis/lignes/dt=YYYY-MM-DD/<file>.sealed`, by the day of their
 * campaign.
 */

const ROOT = 'raw/enedis/';
const DAY = /^raw\/enedis\/([a-z0-9]+)\/dt=(\d{4}-\d\d-\d\d)\//;
const SEALED = '.sealed';
/** What keys of objects do without; people name files as they like. */
const UNSAFE = /[^A-Za-z0-9._-]+/g;

/** Files that are no archive of a flux that is read have no such name. */
export const ENEDIS_RAW_NAMES: RawNames = {
  roots: [ROOT],
  nameOf({ part, window, path = '' }) {
    const file = path.slice(path.lastIndexOf('/') + 1);
    if (part === LINES_PART)
      return `${ROOT}${part}/dt=${window.from}/${file.replace(UNSAFE, '_')}${SEALED}`;
    const archive = parseDeliveredName(file);
    return 'other' in archive
      ? undefined
      : `${ROOT}${archive.flux.toLowerCase()}/dt=${archive.date}/${file}${SEALED}`;
  },
  dayOf(name) {
    const [, part, date = ''] = DAY.exec(name) ?? [];
    return part === undefined || !isCivilDate(date) ? undefined : { part, date };
  },
  besides: ({ part, date }) => [`${ROOT}${part}/dt=${date}/`],
};
