import type { JSX } from 'preact';
import { addDays } from '../../../pipelines/civil-date.ts';
import { longDate } from './french.ts';

interface DayLinksProps {
  /** Of the page. */
  readonly date: string;
  /**
   * File name of the page of a date, as it is published; the pages of a pipeline lie in one folder.
   */
  readonly nameOf: (date: string) => string;
  /** From that folder to the root of the store, such as `../../`. */
  readonly up: string;
}

/**
 * The way to the pages of the day before and the day after, and to the calendar. The links are
 * relative to names that readers know, and made of the date alone: the bytes of a page stay what
 * they are when a neighbour appears, and the link of the newest page leads nowhere until then.
 */
export function DayLinks({ date, nameOf, up }: DayLinksProps): JSX.Element {
  const [before, after] = [addDays(date, -1), addDays(date, 1)];
  return (
    <nav aria-label="Autres journées">
      <ul class="states">
        <li>
          <a rel="prev" href={nameOf(before)}>
            ‹ {dayOf(before)}
          </a>
        </li>
        <li>
          <a href={`${up}index.html`}>Calendrier</a>
        </li>
        <li>
          <a rel="next" href={nameOf(after)}>
            {dayOf(after)} ›
          </a>
        </li>
      </ul>
    </nav>
  );
}

/** Without its weekday. */
function dayOf(date: string): string {
  return longDate(date).split(' ').slice(1).join(' ');
}
