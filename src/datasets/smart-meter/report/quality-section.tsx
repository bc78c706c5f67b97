import type { JSX } from 'preact';
import { FigureTable, number, percentOf, PlainSection, plural, Row } from '../../kit/page/index.ts';
import { ruleWords, severityWords } from '../quality/words.ts';
import type { ReportedQuality } from './model.ts';

/** What the rules of quality observed on the day, in short; all of it is on a page of its own. */

interface QualityProps {
  readonly quality: ReportedQuality | undefined;
  readonly date: string;
}

/** Nothing where no rule was judged, and for reports of earlier versions. */
export function QualitySection({ quality, date }: QualityProps): JSX.Element | null {
  if (quality === undefined) return null;
  const { rules, failing, rejects } = quality;
  const refused = rejects.reduce((sum, { rows }) => sum + rows, 0);
  return (
    <PlainSection id="qualite" title="Qualité des relevés">
      <p class="note">
        {plural(rules, 'règle vérifiée', 'règles vérifiées')}, {failing.length} en défaut ;{' '}
        {plural(refused, 'ligne refusée', 'lignes refusées')}.{' '}
        <a href={`meter_quality_${date}.html`}>Toutes les règles du jour</a>
      </p>
      {failing.length === 0 ? null : (
        <FigureTable
          class="rules"
          caption="Règles en défaut"
          head={['Règle', 'Effet', 'Vues', 'Défauts', 'Part', 'Compteurs']}
        >
          {failing.map(({ rule, severity, tested, failed, meters = 0 }) => (
            <Row
              key={rule}
              name={ruleWords(rule, 'fr')}
              cells={[
                severityWords(severity, 'fr'),
                number(tested),
                number(failed),
                percentOf(tested === 0 ? null : failed / tested, 2),
                number(meters),
              ]}
            />
          ))}
        </FigureTable>
      )}
    </PlainSection>
  );
}
