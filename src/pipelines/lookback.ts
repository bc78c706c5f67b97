/** Which previous days an input reads. Pure. */

interface Read {
  readonly daysBefore?: number;
  readonly asOf?: {
    readonly pipeline?: string;
    readonly lagDays?: number;
    readonly withinDays: number;
  };
}

interface Steps {
  readonly steps: readonly { readonly inputs: readonly Read[] }[];
}

/** Whether the input reads previous days, of this or another pipeline. */
export function isOfPreviousDays({ daysBefore, asOf }: Read): boolean {
  return daysBefore !== undefined || asOf !== undefined;
}

/**
 * How many days earlier the days are that an input may be taken from, in the order in which they
 * are tried; none for an input of the day itself.
 */
export function daysTried({ daysBefore, asOf }: Read): readonly number[] {
  if (asOf === undefined) return daysBefore === undefined ? [] : [daysBefore];
  const { lagDays = 0, withinDays } = asOf;
  return Array.from({ length: withinDays - lagDays + 1 }, (_, index) => lagDays + index);
}

/** By how many days a change of a day of the pipeline can reach later days of the same pipeline. */
export function lookbacksOf({ steps }: Steps): number[] {
  const own = steps.flatMap(({ inputs }) =>
    inputs.filter(({ asOf }) => asOf?.pipeline === undefined),
  );
  return [...new Set(own.flatMap(daysTried))];
}

/** The other pipelines whose state is read, and by how many days earlier. */
export function othersRead({ steps }: Steps): Map<string, number[]> {
  const others = new Map<string, Set<number>>();
  for (const input of steps.flatMap(({ inputs }) => inputs)) {
    const name = input.asOf?.pipeline;
    if (name === undefined) continue;
    const days = others.get(name) ?? new Set<number>();
    for (const day of daysTried(input)) days.add(day);
    others.set(name, days);
  }
  return new Map([...others].map(([name, days]) => [name, [...days]]));
}
