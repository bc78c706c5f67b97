import { isCivilDate } from '../../kit/index.ts';
import type { RawNames } from '../../kit/index.ts';
import { parseDeliveredName } from '../decode/archive-name.ts';

/** The names under which archives are kept: `raw/enedis/<flux>/dt=YYYY-MM-DD/<archive>.zip.sealed`, by the Paris day of the archive's timestamp. */

const ROOT = 'raw/enedis/';
const DAY = /^raw\/enedis\/([a-z0-9]+)\/dt=(\d{4}-\d\d-\d\d)\//;
const SEALED = '.sealed';

/** Files that are no archive of a flux that is read have no such name. */
export const ENEDIS_RAW_NAMES: RawNames = {
  roots: [ROOT],
  nameOf({ path = '' }) {
    const file = path.slice(path.lastIndexOf('/') + 1);
    const archive = parseDeliveredName(file);
    return 'other' in archive ? undefined : `${ROOT}${archive.flux.toLowerCase()}/dt=${archive.date}/${file}${SEALED}`;
  },
  dayOf(name) {
    const [, part, date = ''] = DAY.exec(name) ?? [];
    return part === undefined || !isCivilDate(date) ? undefined : { part, date };
  },
  besides: ({ part, date }) => [`${ROOT}${part}/dt=${date}/`],
};
