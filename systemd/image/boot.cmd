# SPDX-License-Identifier: MIT
# U-Boot's part on the Raspberry Pi, where it takes the place of UEFI and systemd-boot. slot.txt says which slot is to be
# started; where it is new, how many tries it has left, and which one was there before. pipit-update writes it.
setenv slot a
setenv other b
setenv tries
setenv trial
setenv from "${devtype} ${devnum}:${distro_bootpart}"
setexpr high ${kernel_addr_r} + 0x8000000

if load ${from} ${high} slot.txt; then
    env import -t ${high} ${filesize} slot tries other
fi
if test -n "${tries}"; then
    if test "${tries}" = 0; then
        setenv slot "${other}"
        setenv tries
    else
        setexpr tries ${tries} - 1
        setenv trial pipit.trial
    fi
    env export -t ${high} slot tries other
    fatwrite ${from} ${high} slot.txt ${filesize}
fi

load ${from} ${high} ${slot}/boot.txt
env import -t ${high} ${filesize} bootargs
setenv bootargs "${bootargs} ${trial}"
load ${from} ${kernel_addr_r} ${slot}/vmlinuz
load ${from} ${high} ${slot}/initrd.img
booti ${kernel_addr_r} ${high}:${filesize} ${fdt_addr}

# Only without a kernel.
sleep 5
reset
