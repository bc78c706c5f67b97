import type { DayNow } from '../api/routes/orders.ts';
import type { RunningDay } from '../pipelines/calendar-of-days.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import type { PlannedStep } from '../pipelines/planned-step.ts';
import type { Verification } from '../pipelines/verification.ts';

/** What is known of a day, and of its run where one is under way. */
export interface ShownDay {
  readonly pipeline: string;
  readonly date: string;
  readonly definition: PipelineDefinition;
  readonly manifests: readonly Manifest[];
  readonly plan: readonly PlannedStep[];
  readonly run: RunningDay | undefined;
  /** The run is one of this day alone. */
  readonly isOwn: boolean;
  readonly now: DayNow | undefined;
  readonly verification: Verification | null;
}
