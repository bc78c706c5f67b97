/**
 * A part of one in percent, rounded to so many decimals: the figure that pages, commands and the
 * API all show. What is less than the whole is never rounded to it, and what is more than nothing
 * never to nothing: 0.9996 gives 99.9, and 0.0004 gives 0.1.
 */
export function percentFigure(share: number, decimals = 1): number {
  const rounded = Number((share * 100).toFixed(decimals));
  const least = 10 ** -decimals;
  if (share > 0 && share < 1)
    return Number(Math.min(Math.max(rounded, least), 100 - least).toFixed(decimals));
  return rounded;
}
