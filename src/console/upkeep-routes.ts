import { h } from 'preact';
import type { ApiContext } from '../api/shared/context.ts';
import { rangeQuery } from '../api/shared/fields.ts';
import { failedDays } from '../engine/look/failed-days.ts';
import { storesStanding } from '../engine/look/stores-standing.ts';
import { FailuresPage } from './failures-page.tsx';
import { fieldsOf, readForm } from './form.ts';
import type { Make } from './send-page.ts';
import { StoresPage } from './stores-page.tsx';

/** Pages for whoever looks after an installation; they read what the routes of the API read. */
export function addUpkeepPages(add: (path: string, make: Make) => void, { engine }: ApiContext): void {
  add('/console/failures', async (page) => {
    const [, query = ''] = page.address.split('?');
    const range = readForm(rangeQuery, fieldsOf(query));
    const failures = await failedDays(engine, Object.keys(engine.datasets), range);
    return { title: page.words.failures, content: h(FailuresPage, { page, range, failures }) };
  });
  add('/console/stores', async (page) => {
    const standing = await storesStanding(engine);
    return { title: page.words.stores, content: h(StoresPage, { page, standing }) };
  });
}
