import { KnownVersions } from '../../engine/look/known-versions.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { OpenEngine } from '../../workers/open-engine.ts';
import { asPipelineError } from '../../errors.ts';
import type { Finding } from './finding.ts';

/**
 * Lists of values in the code of pipelines, such as rates, of which a newer one may be in force;
 * none of pipelines that nobody runs.
 */
export async function examineAgedLists(engine: OpenEngine): Promise<Finding[]> {
  const known = new KnownVersions(engine);
  const findings: Finding[] = [];
  for (const [pipeline, { definition, agedLists }] of Object.entries(engine.datasets)) {
    if (agedLists === undefined) continue;
    try {
      if ((await known.span(pipeline)) === undefined) continue;
      for (const { subject, ...told } of agedLists(civilDateAt(engine.now(), definition.zone))) {
        findings.push({
          area: 'datasets',
          subject: `${pipeline}, ${subject}`,
          status: 'warn',
          ...told,
        });
      }
    } catch (error) {
      const { code, message, remedy } = asPipelineError(error);
      findings.push({
        area: 'datasets',
        subject: pipeline,
        status: 'warn',
        detail: `${code}: ${message}`,
        next: remedy,
      });
    }
  }
  return findings;
}
