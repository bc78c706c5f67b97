/**
 * Of the interface that datasets are written against; raised when a name of it changes its meaning
 * or goes.
 */
export const KIT_VERSION = 1;
