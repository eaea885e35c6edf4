"""The search on CUDA: a filter in half precision, a certificate, and a float64 settlement.

How the kernels take their arguments:

* Tensors that belong together come in a bundle, a NamedTuple of tensors at the launch and of
  pointers in the kernel; what may be missing is None. A `pick_` function moves a bundle to one
  batch or stage. No field is called `values` or `type`, which Triton's own tuples have, and no
  function returns a None, of which Triton 3.6 would make a number.
* Bundles come before single pointers. They are of even sizes, so their pointers lie in pairs of 16
  bytes, which the assembler loads together; behind an odd pointer it took up to 7 registers more.
* Numbers that change from call to call stay by themselves, for Triton to specialise on none of
  them: a new number of rows compiles nothing. `Widths` and `Tile` come whole, as constants.
"""
