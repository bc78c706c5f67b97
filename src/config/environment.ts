/** Environment variables, or settings of the same names. */
export type Environment = Readonly<Record<string, string | undefined>>;
