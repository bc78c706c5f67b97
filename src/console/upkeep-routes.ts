import { h } from 'preact';
import { requireScope, seenBy } from '../api/security/callers.ts';
import { listKeys } from '../api/security/keys.ts';
import { lastAudit } from '../api/shared/audit.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { rangeQuery } from '../api/shared/fields.ts';
import { failedDays } from '../engine/look/failed-days.ts';
import { storesStanding } from '../engine/look/stores-standing.ts';
import { FailuresPage } from './failures-page.tsx';
import { askedOf, readForm } from './form.ts';
import { KeysPage } from './keys-page.tsx';
import type { AddPage } from './send-page.ts';
import { StoresPage } from './stores-page.tsx';

const AUDIT_SHOWN = 100;

/** Pages for whoever looks after an installation; they read what the routes of the API read. */
export function addUpkeepPages(add: AddPage, { engine }: ApiContext): void {
  add.seen('/console/failures', async (page) => {
    const range = readForm(rangeQuery, askedOf(page.address));
    const failures = await failedDays(
      engine,
      seenBy(page.caller, Object.keys(engine.datasets)),
      range,
    );
    return { title: page.words.failures, content: h(FailuresPage, { page, range, failures }) };
  });
  add('/console/stores', async (page) => {
    const standing = await storesStanding(engine);
    return { title: page.words.stores, content: h(StoresPage, { page, standing }) };
  });
  add('/console/keys', async (page, request) => {
    requireScope(request, 'admin');
    const now = engine.now();
    const [keys, audit] = await Promise.all([
      listKeys(engine.documents),
      lastAudit(engine.documents, now, AUDIT_SHOWN),
    ]);
    const content = h(KeysPage, { page, keys, audit, at: now.toISOString() });
    return { title: page.words.keys, content };
  });
}
