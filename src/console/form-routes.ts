import { Orders } from '../api/routes/orders.ts';
import type { Verifier } from '../api/routes/verify-order.ts';
import type { ApiApp } from '../api/shared/app.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { backfillForms } from './backfill-form-routes.ts';
import { dayForms } from './day-form-routes.ts';
import { addForm, withForms } from './form-route.ts';
import { watchForm } from './lack-routes.ts';
import { scheduleForms } from './schedule-routes.ts';

/**
 * The forms of the console: each does what a route of the API does, by the same order, and then
 * leads back to a page. They work without scripts. Who may not is refused by the order itself.
 */
export function addForms(app: ApiApp, context: ApiContext, verifier: Verifier): void {
  const orders = new Orders(context);
  withForms(app, (scope) => {
    const routes = [
      ...dayForms(context, orders, verifier),
      ...backfillForms(context, orders),
      ...scheduleForms(context, orders),
      watchForm(context, orders),
    ];
    for (const route of routes) addForm(scope, context, route);
  });
}
