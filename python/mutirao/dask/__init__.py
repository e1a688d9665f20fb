"""The Dask side of Mutirão.

`python -m mutirao.dask` is the driver: it makes a cluster and hands it task documents, told by a native process over
two descriptors (docs/formats/cluster-protocol.md). mutirao.dask.worker runs in the workers.
"""
