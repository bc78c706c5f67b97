import jsdoc from 'eslint-plugin-jsdoc';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Lines that carry code: the budget of docs/principles.md does not punish an explaining comment. */
const code = { skipBlankLines: true, skipComments: true };

/** Exported things that say what they are; members carry their units where a name does not. */
const documented = {
  publicOnly: { esm: true, cjs: false, window: false },
  checkConstructors: false,
  // A fixer would write empty comments.
  enableFixer: false,
  require: { ClassDeclaration: true, FunctionDeclaration: true, MethodDefinition: true },
  contexts: [
    'TSInterfaceDeclaration',
    'TSTypeAliasDeclaration',
    'TSEnumDeclaration',
    'ExportNamedDeclaration > VariableDeclaration',
    'ExportDefaultDeclaration > :expression',
  ],
};

export default tseslint.config(
  { ignores: ['**/dist/**', 'coverage/**', '.quotidien/**', '.cache/**', 'test/replay/histories/**'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: ['./tsconfig.test.json'], tsconfigRootDir: import.meta.dirname },
    },
    plugins: { jsdoc },
    rules: {
      'max-lines': ['error', { max: 500 }],
      'max-lines-per-function': ['error', { max: 60, ...code }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      'jsdoc/check-param-names': 'error',
      'jsdoc/no-types': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}', 'packages/*/src/**/*.{ts,tsx}'],
    rules: { 'jsdoc/require-jsdoc': ['error', documented] },
  },
  {
    // Tests read better as one long describe; their budget is the file's.
    files: ['test/**/*.ts', 'packages/*/test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  { files: ['**/*.js', '**/*.mjs', '**/*.cjs'], ...tseslint.configs.disableTypeChecked },
  // The older module format has nothing else.
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  prettier,
);
