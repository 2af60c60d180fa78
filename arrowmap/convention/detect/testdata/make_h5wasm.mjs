// Writes h5wasm.h5 by h5wasm 0.10.3: text of fixed size, which it declares as padded by spaces and pads by NULs.
//
//     npm install h5wasm@0.10.3; node make_h5wasm.mjs    # beside this file
import h5wasm from "h5wasm/node";
await h5wasm.ready;
const f = new h5wasm.File("h5wasm.h5", "w");
const g = f.create_group("g");
g.create_dataset({ name: "code", data: ["ab", "ż", "", "a b"], dtype: "S5" });
g.create_dataset({ name: "long", data: ["a text that is longer", "", "x", " y "], dtype: "S24" });
g.create_dataset({ name: "n", data: [1, 2, 3, 4] });
f.close();
