# Flags for the C++ objects only: in CFLAGS they would break nginx's generated C file. Header
# dependencies come from the compiler, so nothing is rebuilt without need.

for gate_dir in base crypto jose apikey users cache http policy redis conftext nginx; do
    cat << END >> $NGX_MAKEFILE

$NGX_OBJS/addon/$gate_dir/%.o: \\
	CFLAGS += -std=c++20 -fvisibility=hidden -MMD -MP $GATE_CXXFLAGS
END
done

cat << END >> $NGX_MAKEFILE

-include \$(wildcard $NGX_OBJS/addon/*/*.d)
END
