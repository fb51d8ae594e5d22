// Analyses queries with Microsoft's Kusto language service: tables and queries come as JSON on standard input.
const path = require('path');
const fs = require('fs');
const folder = process.argv[2];
require(path.join(folder, 'bridge.min.js'));
require(path.join(folder, 'Kusto.Language.Bridge.min.js'));
const { Symbols, GlobalState, KustoCode } = Kusto.Language;

const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const tables = Object.entries(asked.tables).map(([name, columns]) => {
  const schema = Object.entries(columns).map(([column, type]) => `${column}:${type}`).join(', ');
  return new Symbols.TableSymbol.$ctor7(name, `(${schema})`, null);
});
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1('workspace', tables));

const answers = {};
for (const [name, text] of Object.entries(asked.queries)) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const found = code.GetDiagnostics();
  const diagnostics = [];
  for (let i = 0; i < System.Array.getCount(found); i++) diagnostics.push(System.Array.getItem(found, i).Message);
  const columns = [];
  const result = code.ResultType;
  if (result && result.Columns)
    for (let i = 0; i < System.Array.getCount(result.Columns); i++) columns.push(System.Array.getItem(result.Columns, i).Name);
  answers[name] = { diagnostics, columns };
}
console.log(JSON.stringify(answers));
