import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { datesBetween } from '../../pipelines/civil-date.ts';
import type { FetchWindow } from '../../pipelines/source-declaration.ts';
import type { Origin } from '../../pipelines/ledger.ts';
import type { Receipt } from '../../pipelines/receipt.ts';
import { fetchWindows, monthWindows } from '../../pipelines/window.ts';
import { dropForgotten, sliceAndCommit } from './cut-slices.ts';
import type { Download, UnkeptFile } from './cut-slices.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import type { StepResult } from '../contract.ts';
import { saveReceipt, takeSequence } from '../records/delivery-order.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { readReceipts } from '../records/ledger-reader.ts';
import { partOf, receiptOf, settleAndSave, withKept } from './save-answer.ts';
import type { Answer, Settlement } from './save-answer.ts';
import type { DayRemark } from './judge-day.ts';

/** A file that somebody gave us, stored and recognised. */
export interface ImportedFile {
  readonly pipeline: string;
  readonly part: string;
  readonly window: FetchWindow;
  readonly origin: Origin;
  /** Where its bytes are as long as they are not stored; it is then read in one pass. */
  readonly unkept?: UnkeptFile;
  /** Take it as it is, also where it lacks what is known. */
  readonly force: boolean;
  /** Is told what came of the files in it, where it has several. */
  readonly decoded?: Download['decoded'];
}

/** What came of the days of a file. */
export interface ImportedDays extends StepResult {
  readonly remarks: readonly DayRemark[];
}

/**
 * Takes the days of an imported file in: the same slices, keys and receipts as a download gives,
 * month by month.
 */
export async function deliverImport(
  engine: Engine,
  file: ImportedFile,
  control: StepControl,
): Promise<ImportedDays> {
  const dataset = datasetOf(engine, file.pipeline);
  const step = dataset.definition.steps.find((candidate) => candidate.part === file.part);
  const part = dataset.definition.parts.find((candidate) => candidate.id === file.part);
  if (step === undefined || part === undefined)
    throw new PipelineError('INTERNAL', `${file.part} is no part`);
  const download: Download = {
    engine,
    control,
    dataset,
    part,
    step,
    force: file.force,
    ...decodedOf(file),
  };
  const checkedAt = engine.now().toISOString();
  const place = await takeSequence(engine.documents, partOf(download), []);
  const { origin, window: whole } = file;
  const answer: Answer = {
    origin,
    status: 200,
    unchanged: false,
    checkedAt,
    freshness: null,
    place,
    isGiven: true,
  };
  const days: (StepDone | StepFailed)[] = [];
  const remarks: DayRemark[] = [];
  let mustGo = false;
  // Plans look for receipts by bulk window: a file of many has one in each.
  const bulkWindows = fetchWindows(datesBetween(whole.from, whole.to), part.bulkWindow);
  const receipts = new Map<FetchWindow, Receipt>();
  const atOnce = part.importWindow === 'all' || file.unkept !== undefined;
  for (const cut of atOnce ? [whole] : monthWindows(whole.from, whole.to)) {
    const dates = datesBetween(cut.from, cut.to);
    const { answers, entries, hasForgotten } = await sliceAndCommit(download, dates, answer, {
      unkept: file.unkept,
    });
    mustGo ||= hasForgotten;
    const save: Settlement['save'] = async (answer, kept) => {
      for (const window of bulkWindows.filter(
        (bulk) => bulk.from <= cut.to && cut.from <= bulk.to,
      )) {
        const own = entries.filter(({ scope }) => window.from <= scope && scope <= window.to);
        const receipt = receiptOf(
          download,
          { window, known: receipts.get(window) },
          answer,
          own,
          kept,
        );
        await saveReceipt(engine.documents, receipt);
        receipts.set(window, receipt);
      }
    };
    const range = { first: cut.from, last: cut.to };
    const earlier = await readReceipts(engine.documents, dataset.definition.name, part, range);
    const settled = await settleAndSave(download, { earlier, entries, answer, save });
    days.push(...withKept(download, answers, settled.kept));
    remarks.push(...settled.remarks);
  }
  if (mustGo) await dropForgotten(download, origin.raw);
  return { days, remarks };
}

function decodedOf({ decoded }: ImportedFile): Pick<Download, 'decoded'> {
  return definedMembers({ decoded });
}
