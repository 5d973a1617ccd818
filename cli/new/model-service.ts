import type { Change } from './model-text.ts';

/** A file of the model, and what of it is the model's own and not every service's. Said in the model's words: those are replaced last. */
export interface ModelFile {
  readonly path: string;
  /** What the new file is for. */
  readonly about: string;
  readonly changes: readonly Change[];
}

/** The order is the one in which they are best read. */
export const MODEL_FILES: readonly ModelFile[] = [
  {
    path: 'proto/shop/user/v1/user.proto',
    about: 'the contract',
    changes: [
      { find: '// The people who buy.', put: '// The users of the shop.' },
      { find: '// A person who buys.', put: '// A user.' },
      // Whose the new ones are, is not known yet.
      { find: '        owner: {request_field: "user_id"}\n', put: '' },
      { find: /services: \[\n *"order",\n *"notification"\n *\]/, put: 'services: "operator"' },
      { find: / {2}string email = 2(?: \[[^;]*\])?;\n/, put: '', times: 2 },
      { find: 'string display_name = 3', put: 'string name = 2', times: 2 },
      { find: 'create_time = 4', put: 'create_time = 3' },
    ],
  },
  {
    path: 'services/user/service.ts',
    about: 'what the mesh must know to run it',
    changes: [
      { find: "import { AccountService } from '#proto/shop/user/v1/account_pb.js';\n", put: '' },
      { find: '  operations: AccountService,\n', put: '' },
      { find: "import { accountMigrations, accountSettings, buildAccounts } from './accounts/index.ts';\n", put: '' },
      { find: 'settings: accountSettings', put: 'settings: {}' },
      { find: ', ...accountMigrations', put: '' },
      { find: ', ...buildAccounts(given)', put: '' },
    ],
  },
  {
    path: 'services/user/handlers.ts',
    about: 'its methods',
    changes: [
      { find: 'user.email === wanted.email && ', put: '' },
      { find: 'email: user.email, ', put: '' },
      { find: 'email, ', put: '', times: 2 },
      { find: 'displayName', put: 'name', times: 6 },
    ],
  },
  {
    path: 'services/user/store.ts',
    about: 'its SQL',
    changes: [
      { find: '/** A person who buys. */', put: '/** A user. */' },
      { find: '  readonly email: string;\n', put: '' },
      { find: 'user.email, ', put: '' },
      { find: 'email, ', put: '', times: 2 },
      { find: 'VALUES ($1, $2, $3, $4)', put: 'VALUES ($1, $2, $3)' },
      { find: 'display_name AS "displayName"', put: 'name' },
      { find: /display_name|displayName/, put: 'name', times: 3 },
    ],
  },
  {
    path: 'services/user/migrations/001.do.user.sql',
    about: 'its tables',
    changes: [
      { find: '  email text NOT NULL,\n', put: '' },
      { find: 'display_name', put: 'name' },
    ],
  },
  {
    path: 'services/user/README.md',
    about: 'what it is for, in a table',
    changes: [
      { find: 'The people who buy.', put: 'The users of the shop.' },
      { find: /\nAccounts.*accounts\/README\.md.*\n/, put: '' },
    ],
  },
  {
    path: 'test/user/user.test.ts',
    about: 'what it promises',
    changes: [
      { find: /email: '[^']*', /, put: '' },
      { find: /display_?name/i, put: 'name', times: 4 },
    ],
  },
];

/** No new service knows of these; a text that still does was changed since the changes above were written. */
export const MODELS_OWN = /e-?mail|display|person|people|\bbuy|account/i;
