% Writes octave.h5, octave_struct.h5 and octave_kinds.h5 into the folder it is run in; gzip -n9 them. GNU Octave 7.3.0:
%   octave-cli -q make_octave.m
1;
% Variables of one height are a table; text and cells need not fit.
bl = [true; false; true]; ii = int32([1; 2; 3]); mat = [1 2; 3 NA; 5 NaN]; na = [4; NA; NaN]; cs = {"a"; ""; "c\303\251"};
txt = ["ab"; "c "; "de"]; r = 1:3; title = "caption";
save("-hdf5", "octave.h5", "bl", "ii", "mat", "na", "cs", "txt", "r", "title");
% Structs in structs, arrays of structs.
s.v = [1; 2]; s.w = single([NA; NaN]); s.in.a = int8([1 2 3]); s.in.t = 'x'; s.note = {"p", "q", "r"};
sa = struct("p", {1, NA, 3}, "q", {"x"; "yy"; ""}', "r", {[1 2], [], NA}, "b", {true, false, true});
none = struct("a", {}); bare = struct();
save("-hdf5", "octave_struct.h5", "s", "sa", "none", "bare");
% Of several heights: each variable is a table of its own.
b = true; x = 1.5; i = int16(-3); u = uint64(18446744073709551615); c = 1 + 2i; z = [1+2i 3-4i]; zn = [complex(NA, 1); 2];
e = []; es = ""; ec = cell(0, 1); en = zeros(0, 3); rg = 0:0.1:0.3; nd = reshape(1:12, 2, 3, 2); sg = single([1.5; NA; NaN]);
sp = sparse([1 0 2; 0 NA 0]); spb = sparse([true false; false true]); spc = sparse([0 1i; 2 0]); sp0 = sparse(2, 3);
cv = {[1 2]; NA; []}; cr = {1:3; [NA 2]; 7; []}; cr2 = {1:2, 0:0.1:0.3}; cm = {1; "x"}; ten = {1; 2; 3; 4; 5; 6; 7; 8; 9; NA; []}; sq = 'don"t'; fn = @(x) x + 1;
save("-hdf5", "octave_kinds.h5", "b", "x", "i", "u", "c", "z", "zn", "e", "es", "ec", "en", "rg", "nd", "sg", "sp", "spb", "spc", "sp0", "cv", "cr", "cr2", "cm", "ten", "sq", "fn");
