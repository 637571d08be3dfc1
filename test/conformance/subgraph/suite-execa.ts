/** Stands for the package that the suite starts docker, pm2 and jest with; its test files only import it on their way. */
function startNothing(command: string): never {
  throw new Error(`the suite wants to start ${command}: test/conformance/subgraph starts what it needs`);
}

export { startNothing as default };
