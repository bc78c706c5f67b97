import { nthOf } from '../../given.ts';

/**
 * Where to list what lies in the places of several days, each with the same number of places: by
 * place, what the days have in common. There may be more below it than belongs to these days. A
 * request for each of the days of a month would be hundreds.
 */
export function commonPlaces(placesByDay: readonly (readonly string[])[]): string[] {
  const [first = []] = placesByDay;
  return first.map((_, index) => commonPrefix(placesByDay.map((places) => nthOf(places, index))));
}

/** What all begin with. */
function commonPrefix([first = '', ...others]: readonly string[]): string {
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}
