"""``make rehearse``: the images' own steps on a clean Debian tree, and what comes out of them as compose.yml says it runs, behind the real proxy.

For machines without a container engine. Needs root, a kernel that lets it mount, mmdebstrap, and the package registries.
"""
