/** C15 events that begin a contract: first commissioning, commissioning, change of supplier. */
export const ENTRIES = ['PMES', 'MES', 'CFNE'] as const;
/** What a spine calls the first of a month, on which it is billed. */
export const BILLED = 'FACTURATION';
/** C15 events that end a contract: termination, change of supplier. */
export const EXITS = ['RES', 'CFNS'] as const;
/** The first day of which anything is billed or shown, in SQL over the table `premiers`. */
export const FIRST_KEPT = '(SELECT min(jour) FROM premiers)';
