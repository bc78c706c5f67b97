/**
 * The beginning of the SHA-256 of all rates as canonical JSON; a test holds it to the lists. It is
 * a parameter of the steps that calculate with rates, so that a new list makes again what was made
 * with the old one.
 */
export const RATES_DIGEST = '6a8663d13168c0b8';
