import type { ApiApp } from '../../shared/app.ts';
import type { ApiContext } from '../../shared/context.ts';

/** Fetching the distributor's files, as the earlier system started and told it. */
export function addIngestionRoutes(_app: ApiApp, _context: ApiContext): void {
  // Follows.
}
