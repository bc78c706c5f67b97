import type { ApiApp } from '../../shared/app.ts';
import type { ApiContext } from '../../shared/context.ts';
import { addChronology } from './chronology.ts';
import { addFluxRoutes } from './flux-routes.ts';
import { sendDetail } from './frame.ts';
import { addIngestionRoutes } from './ingestion.ts';
import { addMetaPeriods } from './meta-periods.ts';
import { addOrders } from './orders.ts';
import { addPerimeter } from './perimeter.ts';
import { addProvision } from './provision.ts';
import { addServices } from './services.ts';
import { Supplier } from './supplier.ts';
import { addTaxes } from './taxes.ts';

/**
 * The endpoints of the earlier ElectriCore, at the root, under their paths and in their shapes:
 * what billing teams and their ERP read, with the French names that they know. The scope is theirs
 * alone.
 */
export function addSupplierRoutes(scope: ApiApp, context: ApiContext): void {
  scope.setErrorHandler(sendDetail);
  const supplier = new Supplier(context);
  addFluxRoutes(scope, supplier);
  addMetaPeriods(scope, supplier);
  addChronology(scope, supplier);
  addServices(scope, supplier);
  addOrders(scope, supplier);
  addPerimeter(scope, supplier);
  addProvision(scope, supplier);
  addTaxes(scope, supplier);
  addIngestionRoutes(scope, context);
}
