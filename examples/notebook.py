"""A notebook that writes into a shared document. Run its cells in Jupyter, or all as a script."""

# %% Open the document, by the address of its page.
import sys
from statistics import mean, stdev

import manyhands

page = sys.argv[1]
document = manyhands.open(page, name="Notebook")

# %% Measure something, and let everybody who has the page open see it.
measured = [20.1, 21.4, 19.8, 20.6]
document.append(f"{len(measured)} measurements: {mean(measured):.1f} ± {stdev(measured):.1f} °C")
document.saved()  # now it is on the server's disk

# %% Read what the document says by now.
print(document.markdown())

# %% Leave.
document.close()
