// Writes text of fixed size by h5wasm, which declares it as padded by spaces and pads it by NULs.
//
//     npm install h5wasm@0.10.3; node make_h5wasm.mjs h5wasm.h5    # beside this file
//
// Run with h5wasm 0.10.3 for h5wasm.h5, and with h5wasm 0.7.0 for h5wasm_old.h5.
import h5wasm from "h5wasm/node";
await h5wasm.ready;
const f = new h5wasm.File(process.argv[2], "w");
const g = f.create_group("g");
g.create_dataset({ name: "code", data: ["ab", "ż", "", "a b"], dtype: "S5" });
g.create_dataset({ name: "long", data: ["a text that is longer", "", "x", " y "], dtype: "S24" });
g.create_dataset({ name: "n", data: [1, 2, 3, 4] });
f.close();
