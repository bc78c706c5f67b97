import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { addCityRoutes } from './cityflow.ts';
import { addGridExports } from './eco2mix-exports.ts';
import { addCapacityRoute, addGridRoutes } from './eco2mix.ts';
import { addSupplierRoutes } from './enedis/routes.ts';

/** The routes of earlier systems that stood below `/api/v1`; each is there while its pipeline is. */
export function addEarlierApi(api: ApiApp, context: ApiContext): void {
  addGridRoutes(api, context);
  addCapacityRoute(api, context);
}

/** Those that stood at the root. */
export function addEarlierPaths(app: ApiApp, context: ApiContext): void {
  addGridExports(app, context);
  addCityRoutes(app, context);
  addSupplierRoutes(app, context);
}
