import type { JSX } from 'preact';
import type { HeldScope } from '../engine/look/held-scopes.ts';
import { PERSONAL_UNIT } from '../pipelines/about-people.ts';
import { unitsHeldIn } from '../pipelines/held-units.ts';
import type { HeldInVersion } from '../pipelines/held-units.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import { isPeriod } from '../pipelines/scope.ts';
import { AskForm, Reason } from './fields.tsx';
import { askedOf } from './form.ts';
import { Facts, linkTo, mayAct, Rows } from './layout.tsx';
import type { PageContext } from './layout.tsx';

/**
 * Units (meters, contracts) that a version is without because a check holds them: with their
 * evidence, and a form for each that waits.
 */

/** Each has a form; of more, what is asked for by name. */
const UNITS_SHOWN = 25;

/** Where the page of a day or period is. */
export function pathOf(pipeline: string, scope: string): string {
  return isPeriod(scope)
    ? `/console/${pipeline}/periods/${scope}`
    : `/console/${pipeline}/${scope}`;
}

/** Nothing where the version holds none. */
export function HeldUnits({
  page,
  pipeline,
  manifest,
}: {
  readonly page: PageContext;
  readonly pipeline: string;
  readonly manifest: Manifest;
}): JSX.Element | null {
  const { words } = page;
  const all = unitsHeldIn(manifest);
  if (all.length === 0) return null;
  const asked = askedOf(page.address)['unit'];
  const found = all.filter(({ unit }) => asked === undefined || unit.includes(asked));
  const named = found.filter(({ unit }) => unit !== PERSONAL_UNIT);
  const waiting = named.filter(({ rejected }) => rejected !== true);
  const rejected = named.filter((one) => one.rejected === true);
  const path = pathOf(pipeline, manifest.scope);
  return (
    <section aria-labelledby="held">
      <h2 id="held">{`${words.heldUnits} (${all.length})`}</h2>
      <p>{words.heldUnitsAre}</p>
      {named.length < found.length ? <p>{words.needsSignIn}</p> : null}
      {all.length > UNITS_SHOWN || asked !== undefined ? (
        <AskForm page={page} path={path}>
          <label>
            {words.unit}
            <input name="unit" value={asked} />
          </label>
        </AskForm>
      ) : null}
      {waiting.slice(0, UNITS_SHOWN).map((one) => (
        <Waiting
          key={`${one.step} ${one.check} ${one.unit}`}
          page={page}
          pipeline={pipeline}
          path={path}
          held={one}
        />
      ))}
      {waiting.length > UNITS_SHOWN ? <p>{`… + ${waiting.length - UNITS_SHOWN}`}</p> : null}
      {rejected.length === 0 ? null : (
        <Rows
          caption={words.rejectedUnits}
          head={[words.rejectedUnits, words.step, words.check]}
          rows={rejected.map(({ unit, step, check }) => [unit, step, check])}
        />
      )}
    </section>
  );
}

function Waiting({
  page,
  pipeline,
  path,
  held: { unit, step, check, evidence, examples },
}: {
  readonly page: PageContext;
  readonly pipeline: string;
  readonly path: string;
  readonly held: HeldInVersion;
}): JSX.Element {
  const { words, nameHome } = page;
  const scope = path.slice(path.lastIndexOf('/') + 1);
  const command = `quotidien decide ${pipeline} ${scope} --unit ${unit} --step ${step} --accept --reason "…"`;
  return (
    <section class="unit" aria-label={`${unit}, ${check}`}>
      <h3>{unit}</h3>
      <Facts
        facts={[
          [words.check, check],
          [words.step, step],
          [words.evidence, evidence.slice(0, 12)],
          ...examples.map((row, index): [string, string] => [
            `${words.example} ${index + 1}`,
            told(row),
          ]),
        ]}
      />
      {mayAct(page, pipeline) ? (
        <form method="post" action={linkTo(page, `${path}/decideUnit`)}>
          <input type="hidden" name="unit" value={unit} />
          <input type="hidden" name="step" value={step} />
          <Reason label={words.reason} />
          <button type="submit" name="decision" value="accept">
            {words.accept}
          </button>
          <button type="submit" name="decision" value="reject">
            {words.reject}
          </button>
        </form>
      ) : (
        <pre>{nameHome(command)}</pre>
      )}
    </section>
  );
}

function told(row: Readonly<Record<string, unknown>>): string {
  return Object.entries(row)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

/** Days and periods that wait for decisions on units, of any pipeline. */
export function HeldScopes({
  page,
  held,
}: {
  readonly page: PageContext;
  readonly held: readonly HeldScope[];
}): JSX.Element | null {
  const { words } = page;
  if (held.length === 0) return null;
  return (
    <section aria-labelledby="held">
      <h2 id="held">{words.heldUnits}</h2>
      <Rows
        caption={`${words.heldUnits}: ${words.range}`}
        head={[words.pipelines, words.range, words.heldUnits, words.committed]}
        rows={held.map(({ pipeline, scope, units, committedAt }) => [
          pipeline,
          <a key={scope} href={`${linkTo(page, pathOf(pipeline, scope))}#held`}>
            {scope}
          </a>,
          units,
          committedAt,
        ])}
      />
    </section>
  );
}
