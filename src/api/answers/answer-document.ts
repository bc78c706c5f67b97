import type { Answer } from '../../engine/look/ask-question.ts';
import { standingOf } from './standing.ts';

/** An answer with what it stands on, and the address under which it is always found. */
export function answerDocument(answer: Answer): Record<string, unknown> {
  const { pipeline, question, parameters, sentence, columns, rows, chart, cuts } = answer;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) query.set(name, asText(value));
  return {
    question: question.id,
    pipeline,
    parameters,
    sentence,
    columns,
    rows,
    chart,
    standing: cuts.map((cut) => ({ table: cut.table.id, ...cut.span, ...standingOf(cut) })),
    link: `/api/v1/questions/${question.id}?${query.toString()}`,
  };
}

/** Parameters are texts, numbers and flags. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
