import { quoteTexts } from '../../kit/index.ts';

/**
 * Names of the column by which the ERP says that a contract is smoothed; it is kept with the rest
 * of a line.
 */
const NAMES = ['x_lisse', 'est_lisse', 'lisse'] as const;
const YES = ['true', '1', 'oui', 'vrai'] as const;

/**
 * SQL over \`lignes\`: whether the line is of a smoothed contract; false where its file does not
 * say.
 */
export const LISSE_SQL = `coalesce(lower(coalesce(${NAMES.map((name) => `json_extract_string(reste, '$.${name}')`).join(', ')})) IN (${quoteTexts(YES)}), false)`;
