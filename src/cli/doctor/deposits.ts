import { readDepositNotes } from '../../engine/download/deposit-notes.ts';
import { asPipelineError } from '../../errors.ts';
import type { OpenEngine } from '../../workers/open-engine.ts';
import type { Finding } from './finding.ts';

/**
 * Files of other programs that could not be taken in; one finding for each, and none where nobody
 * brings any.
 */
export async function examineDeposits(engine: OpenEngine): Promise<Finding[]> {
  const findings: Finding[] = [];
  const bringing = Object.entries(engine.datasets).filter(
    ([, { rawNames }]) => rawNames?.parts !== undefined,
  );
  for (const [pipeline] of bringing) {
    try {
      for (const [name, { failure }] of await readDepositNotes(engine, pipeline)) {
        if (failure === undefined) continue;
        const detail = `${failure.code}: ${failure.message}`;
        const next = 'Correct or remove the file; it is tried again when it changes.';
        findings.push({
          area: 'publishers',
          subject: name,
          status: 'warn',
          detail,
          next,
          degrades: true,
        });
      }
    } catch (error) {
      const { code, message, remedy } = asPipelineError(error);
      const subject = `deposits of ${pipeline}`;
      findings.push({
        area: 'publishers',
        subject,
        status: 'warn',
        detail: `${code}: ${message}`,
        next: remedy,
      });
    }
  }
  return findings;
}
