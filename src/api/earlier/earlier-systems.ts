import { tablesOf } from '../../engine/look/table-cut.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { addCityRoutes } from './cityflow.ts';
import { addGridExports } from './eco2mix-exports.ts';
import { addCapacityRoute, addGridRoutes } from './eco2mix.ts';
import { addEnergyPeriods } from './enedis/energies.ts';
import { addSupplierRoutes } from './enedis/routes.ts';

/**
 * The routes of earlier systems that stood below `/api/v1`; each is there while its pipeline is,
 * and a key of that one is enough.
 */
export function addEarlierApi(api: ApiApp, context: ApiContext): void {
  const { datasets } = context.engine;
  const capacity = tablesOf(datasets).get('parc_mensuel')?.pipeline ?? 'eco2mix';
  if ('eco2mix' in datasets) ofPipeline(api, 'eco2mix', addGridRoutes, context);
  if (capacity in datasets) ofPipeline(api, capacity, addCapacityRoute, context);
  if ('enedis' in datasets) ofPipeline(api, 'enedis', addEnergyPeriods, context);
}

/** Those that stood at the root. */
export function addEarlierPaths(app: ApiApp, context: ApiContext): void {
  addGridExports(app, context);
  addCityRoutes(app, context);
  if ('enedis' in context.engine.datasets) ofPipeline(app, 'enedis', addSupplierRoutes, context);
}

/** Who may not read the pipeline is refused before the request is looked at. */
function ofPipeline(
  app: ApiApp,
  pipeline: string,
  addRoutes: (scope: ApiApp, context: ApiContext) => void,
  context: ApiContext,
): void {
  app.register((scope: ApiApp, _, done) => {
    scope.addHook('preValidation', (request, __, next) => {
      requireScope(request, 'data:read', pipeline);
      next();
    });
    addRoutes(scope, context);
    done();
  });
}
