import type { QualityDay, Verdict } from './verdicts.ts';

/** Verdicts in the shape of Great Expectations' validation results, one for each suite. */

/** One suite, with the names that Great Expectations has for its members. */
export interface ValidationResult {
  readonly success: boolean;
  readonly meta: {
    readonly expectation_suite_name: string;
    readonly batch_kwargs: { readonly date: string };
  };
  readonly statistics: {
    readonly evaluated_expectations: number;
    readonly successful_expectations: number;
    readonly unsuccessful_expectations: number;
    readonly success_percent: number | null;
  };
  readonly results: readonly ExpectationResult[];
}

interface ExpectationResult {
  readonly success: boolean;
  readonly expectation_config: {
    readonly expectation_type: string;
    readonly kwargs: object;
    readonly meta: object;
  };
  readonly result: {
    readonly element_count: number;
    readonly unexpected_count: number;
    readonly unexpected_percent: number | null;
    readonly partial_unexpected_list: readonly string[];
  };
}

/** Suites in the order of their first verdict. */
export function expectationsOf({
  date,
  verdicts,
}: Pick<QualityDay, 'date' | 'verdicts'>): ValidationResult[] {
  return [...new Set(verdicts.map(({ suite }) => suite))].map((suite) => {
    const results = verdicts.filter((verdict) => verdict.suite === suite).map(resultOf);
    const good = results.filter(({ success }) => success).length;
    return {
      success: good === results.length,
      meta: { expectation_suite_name: suite, batch_kwargs: { date } },
      statistics: {
        evaluated_expectations: results.length,
        successful_expectations: good,
        unsuccessful_expectations: results.length - good,
        success_percent: results.length === 0 ? null : (100 * good) / results.length,
      },
      results,
    };
  });
}

function resultOf({
  rule,
  severity,
  title,
  version,
  tested,
  failed,
  keys,
}: Verdict): ExpectationResult {
  return {
    success: failed === 0,
    expectation_config: {
      expectation_type: `expect_${rule}`,
      kwargs: {},
      meta: { notes: title, severity, version },
    },
    result: {
      element_count: tested,
      unexpected_count: failed,
      unexpected_percent: tested === 0 ? null : (100 * failed) / tested,
      partial_unexpected_list: keys,
    },
  };
}
