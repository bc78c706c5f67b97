/**
 * A text as a field of CSV (RFC 4180): quoted where it has the delimiter, a quote or a line break.
 * Ours, and not a library's, because reports and exports are held byte for byte for years, and a
 * release must not change them.
 */
export function csvField(text: string, delimiter: string): string {
  return text.includes(delimiter) || /["\n\r]/.test(text)
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}
