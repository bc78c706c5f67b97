import { definedMembers } from '../given.ts';

/**
 * Who may do what in the console, as the settings say it of what an issuer tells about a person.
 */

/** What people may do in the console; each role holds the ones before it. */
export const ROLES = ['reader', 'operator', 'admin'] as const;

/** A role by its name. */
export type Role = (typeof ROLES)[number];

/** A role everywhere, or at one pipeline alone. */
export interface Grant {
  readonly role: Role;
  /** Absent: at all pipelines, and for what belongs to none. */
  readonly pipeline?: string;
}

/** What a value of the claim is worth. */
export interface RoleRule extends Grant {
  /** As the issuer writes it; `*` stands for everybody who signs in. */
  readonly value: string;
}

/** Rules that were read; with a problem they must not be used. */
export interface ParsedRoleRules {
  readonly rules: readonly RoleRule[];
  /** What is wrong, in words. */
  readonly problem?: string;
}

/**
 * Reads `value=role` and `value=role:pipeline` with semicolons between. The last `=` counts,
 * because values may be names of a directory (`CN=grid,OU=teams=operator`).
 */
export function parseRoleRules(text: string): ParsedRoleRules {
  const rules: RoleRule[] = [];
  for (const entry of text.split(';').map((one) => one.trim())) {
    if (entry === '') continue;
    const [, value, name, pipeline] = /^(.*\S)\s*=\s*([a-z]+)(?::([a-z0-9-]+))?$/.exec(entry) ?? [];
    const role = ROLES.find((one) => one === name);
    if (value === undefined || role === undefined)
      return {
        rules,
        problem: 'takes entries such as team=operator or team=reader:<pipeline>, with ; between',
      };
    rules.push({ value, role, ...definedMembers({ pipeline }) });
  }
  return rules.length > 0 ? { rules } : { rules, problem: 'gives nobody a role' };
}
