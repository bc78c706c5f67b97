/** C15 events that begin a contract: first commissioning, commissioning, change of supplier. */
export const ENTRIES = ['PMES', 'MES', 'CFNE'] as const;
/** C15 events that end a contract: termination, change of supplier. */
export const EXITS = ['RES', 'CFNS'] as const;
